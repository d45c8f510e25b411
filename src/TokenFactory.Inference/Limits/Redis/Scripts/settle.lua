-- Replaces what a reservation holds by what was used; only the first settlement finds the reservation.
-- KEYS: the reservation. The buckets' keys are kept in it: they share its hash tag, so its slot.
-- ARGV: its id, 1 when the request counts, its tokens, its nano-USD, and for how many ms its take may still be on its way (0: it was
-- answered). Answers 1 when this settled it.
local value = redis.call('GETDEL', KEYS[1])
if not value or value == GIVEN_BACK then
  if ARGV[5] ~= '0' then redis.call('SET', KEYS[1], GIVEN_BACK, 'PX', ARGV[5]) end
  return 0
end
local open = cmsgpack.unpack(value)

-- Nobody settled in time: what was spent stays charged at its hold, and its leases have ended by themselves.
if open.deadline <= now then return 0 end

-- 1. Read all at once. A bucket that is held twice is read and written once.
local counts = ARGV[2] == '1'
local spent = { T = ARGV[3], M = ARGV[4] }
local keys, cells = {}, {}
for i = 1, #open.held do
  local kind, key = open.held[i][1], open.held[i][2]
  if kind == 'c' then
    redis.call('ZREM', key, ARGV[1] .. '/' .. i)
  elseif not cells[key] then
    keys[#keys + 1] = key
    cells[key] = {}
  end
end
if #keys == 0 then return 1 end
local values = redis.call('MGET', unpack(keys))
for i = 1, #keys do
  local cell = cells[keys[i]]
  cell.value = values[i]
end

-- 2. Put what was used in the place of what was held.
for i = 1, #open.held do
  local kind, key, hi, lo, made, month = unpack(open.held[i])
  local cell = cells[key]
  if kind == 'q' or kind == 't' then
    local used = not counts and 0 or (kind == 'q' and 1 or math.min(tonumber(ARGV[3]), MOST_A_MINUTE))
    if used ~= hi then
      if not cell.used then
        cell.used, cell.limit = used_of(cell.value)
        cell.before = cell.used
        if cell.limit == 0 then cell.limit = made end
      end
      cell.used = math.max(0, math.min(cell.used + (used - hi) * WINDOW, MOST_USED))
    end
  elseif kind ~= 'c' and cell.value then
    -- A budget that was loaded from the ledger since, or that began another month, does not hold this reservation.
    if not cell.load then cell.load, cell.month, cell.hi, cell.lo = spent_of(cell.value, 0) end
    if cell.load == made and cell.month == month then
      local used_hi, used_lo = 0, 0
      if counts then used_hi, used_lo = split(spent[kind]) end
      cell.hi, cell.lo = settled(cell.hi + used_hi - hi, cell.lo + used_lo - lo)
      cell.changed = true
    end
  end
end

-- 3. Write what changed.
for i = 1, #keys do
  local key = keys[i]
  local cell = cells[key]
  if cell.changed then
    keep_budget(key, cell.load, cell.month, cell.hi, cell.lo)
  elseif cell.used and cell.used > 0 then
    keep_rate(key, cell.used, cell.limit)
  elseif cell.used and cell.before > 0 then
    redis.call('DEL', key)
  end
end
return 1
