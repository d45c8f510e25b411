-- Replaces what a reservation holds by what was used; only the first settlement finds the reservation.
-- KEYS: the reservation. The buckets' keys are kept in it: they share its hash tag, so its slot.
-- ARGV: its id, 1 when the request counts, its tokens, its nano-USD. Answers 1 when this settled it.
local value = redis.call('GET', KEYS[1])
if not value then return 0 end
redis.call('DEL', KEYS[1])
local open = cmsgpack.unpack(value)

-- Nobody settled in time: what was spent stays charged at its hold, and its leases have ended by themselves.
if open.deadline <= now then return 0 end

local counts = ARGV[2] == '1'
local spent = { T = ARGV[3], M = ARGV[4] }
for i = 1, #open.held do
  local kind, key, hi, lo, made, month = unpack(open.held[i])
  if kind == 'c' then
    redis.call('ZREM', key, ARGV[1] .. '/' .. i)
  elseif kind == 'q' or kind == 't' then
    local used = not counts and 0 or (kind == 'q' and 1 or math.min(tonumber(ARGV[3]), MOST_A_MINUTE))
    if used ~= hi then
      local before, limit = used_of(redis.call('GET', key))
      local after = math.max(0, math.min(before + (used - hi) * WINDOW, MOST_USED))
      if after > 0 then keep_rate(key, after, limit > 0 and limit or made) elseif before > 0 then redis.call('DEL', key) end
    end
  else
    local kept = redis.call('GET', key)
    if kept then
      -- A budget that was loaded from the ledger since, or that began another month, does not hold this reservation.
      local load, at, had_hi, had_lo = spent_of(kept, 0)
      if load == made and at == month then
        local used_hi, used_lo = 0, 0
        if counts then used_hi, used_lo = split(spent[kind]) end
        had_hi, had_lo = settled(had_hi + used_hi - hi, had_lo + used_lo - lo)
        keep_budget(key, load, at, had_hi, had_lo)
      end
    end
  end
end
return 1
