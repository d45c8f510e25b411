-- Moves the ends of a reservation's leases while its request is under way, never past the reservation's own deadline.
-- KEYS: the reservation. ARGV: its id, the lease in ms. Answers 1 when it is still open.
local value = redis.call('GET', KEYS[1])
if not value or value == GIVEN_BACK then return 0 end
local open = cmsgpack.unpack(value)
if open.deadline <= now then return 0 end
for i = 1, #open.held do
  local kind, key = open.held[i][1], open.held[i][2]
  if kind == 'c' then
    redis.call('ZADD', key, math.min(now + tonumber(ARGV[2]), open.deadline), ARGV[1] .. '/' .. i)
    keep_leases(key, tonumber(ARGV[2]))
  end
end
return 1
