-- Tells what this replica learnt of deployments that rest, and asks what is known of all of them.
-- KEYS[1]: a hash, deployment to "<until>:<reason>". ARGV: deployment, reason, milliseconds, for each that is told.
-- Returns deployment, reason, milliseconds left, for each that rests.
for i = 1, #ARGV, 3 do
  local ends = now + tonumber(ARGV[i + 2])
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  if not known or tonumber(string.match(known, '^%d+')) < ends then
    redis.call('HSET', KEYS[1], ARGV[i], string.format('%.0f:%s', ends, ARGV[i + 1]))
  end
end
local resting = {}
local rests = redis.call('HGETALL', KEYS[1])
for i = 1, #rests, 2 do
  local ends, reason = string.match(rests[i + 1], '^(%d+):(.*)$')
  local left = tonumber(ends) - now
  if left > 0 then
    resting[#resting + 1] = rests[i]
    resting[#resting + 1] = reason
    resting[#resting + 1] = math.floor(left)
  else
    redis.call('HDEL', KEYS[1], rests[i])
  end
end
return resting
