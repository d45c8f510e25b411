-- Takes from every bucket of a demand, or from none.
-- KEYS: the reservation, then its buckets. ARGV: the reservation's id, its life and its lease in ms, then for each bucket
-- its kind (q requests, t tokens a minute, c concurrent, T tokens and M money a month), limit and amount.
-- Answers { now, 0 refused | 1 taken | 2 a budget is not loaded, refused bucket or 0, wait in ms or -1 for ever,
-- then two numbers for each bucket: what is used (budgets: billions, rest) }.
local id, life, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local count = #KEYS - 1
local values = redis.call('MGET', unpack(KEYS))

-- It was given back before it arrived: whoever sent it waits for it no more.
if values[1] == GIVEN_BACK then return redis.error_reply('GIVENBACK the reservation was given back before its take arrived') end

-- The same id again takes nothing more and is answered the same; asked for other buckets, it is told no levels.
if values[1] then
  local open = cmsgpack.unpack(values[1])
  if open.deadline > now then
    local answer = { now, 1, 0, 0 }
    local same = #open.held == count
    for i = 1, count do same = same and open.held[i][2] == KEYS[i + 1] end
    if same then
      for i = 1, 2 * count do answer[4 + i] = open.levels[i] end
    end
    return answer
  end
end

-- 1. Ask every bucket, even after a refusal: the caller is told the longest wait. A bucket named twice is asked twice.
local month
local cells, asked = {}, {}
local refused, longest = 0, 0
for i = 1, count do
  local key, kind, limit, amount = KEYS[i + 1], ARGV[3 * i + 1], ARGV[3 * i + 2], ARGV[3 * i + 3]
  local cell = cells[key]
  local wait
  if kind == 'q' or kind == 't' then
    limit, amount = math.min(tonumber(limit), MOST_A_MINUTE), tonumber(amount)
    if not cell then
      local used, before = used_of(values[i + 1])
      cell = { a = used, limit = limit, raised = values[i + 1] and limit > before, b = 0 }
      if values[i + 1] and limit ~= before then
        -- What was within the old limit is within the new one: a lowered limit locks nobody out for longer than its minute.
        local old, new = before * WINDOW, limit * WINDOW
        cell.a = used <= old and math.min(used, new) or new + (used - old)
      end
      cell.seen = cell.a
    end
    local capacity = limit * WINDOW
    local needed = math.min(amount, limit)
    if amount > 0 and limit == 0 then
      wait = math.huge
    elseif amount > 0 and cell.a + needed * WINDOW > capacity then
      wait = math.min(math.ceil((cell.a + needed * WINDOW - capacity) / limit), YEAR)
    else
      cell.a = cell.a + needed * WINDOW
      cell.changed = cell.changed or needed > 0
    end
    asked[i] = { cell = cell, hi = needed, lo = 0 }
  elseif kind == 'c' then
    limit = tonumber(limit)
    if not cell then
      cell = { a = redis.call('ZCOUNT', key, '(' .. now, '+inf'), b = 0 }
      cell.seen = cell.a
    end
    if cell.a >= limit then
      wait = limit > 0 and 1000 or math.huge
    else
      cell.a = cell.a + 1
    end
    asked[i] = { cell = cell, hi = 1, lo = 0 }
  else
    if not values[i + 1] then return { now, 2 } end
    month = month or month_of(now)
    if not cell then
      local load, kept, hi, lo, began = spent_of(values[i + 1], month)
      cell = { load = load, month = kept, a = hi, b = lo, seen = hi, seen_lo = lo, changed = began }
    end
    local hi, lo = split(amount)
    local most_hi, most_lo = split(limit)
    if hi > 0 or lo > 0 then
      local then_hi, then_lo = cell.a + hi, cell.b + lo
      if then_lo >= BILLION then then_hi, then_lo = then_hi + 1, then_lo - BILLION end
      if then_hi > most_hi or (then_hi == most_hi and then_lo > most_lo) then
        wait = math.huge
      else
        cell.a, cell.b, cell.changed = then_hi, then_lo, true
      end
    end
    asked[i] = { cell = cell, hi = hi, lo = lo }
  end
  cells[key] = cell
  if wait and (refused == 0 or wait > longest) then refused, longest = i, wait end
end

-- 2. Refused: nothing is written, but that a raised limit counts from now on.
local answer = { now, 0, refused, longest == math.huge and -1 or longest }
if refused > 0 then
  for i = 1, count do
    local cell = asked[i].cell
    answer[3 + 2 * i], answer[4 + 2 * i] = cell.seen, cell.seen_lo or cell.b
    if cell.raised then
      keep_rate(KEYS[i + 1], cell.seen, cell.limit)
      cell.raised = false
    end
  end
  return answer
end

-- 3. Taken: every bucket is written, and the reservation that its settlement will find.
local open = { deadline = now + life, levels = {}, held = {} }
for i = 1, count do
  local key, kind, cell = KEYS[i + 1], ARGV[3 * i + 1], asked[i].cell
  if kind == 'c' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    redis.call('ZADD', key, now + lease, id .. '/' .. i)
    keep_leases(key, lease)
  elseif cell.changed then
    if cell.load then keep_budget(key, cell.load, cell.month, cell.a, cell.b) else keep_rate(key, cell.a, cell.limit) end
    cell.changed = false
  end
  open.held[i] = { kind, key, asked[i].hi, asked[i].lo, cell.load or cell.limit or 0, cell.month or 0 }
  answer[3 + 2 * i], answer[4 + 2 * i] = cell.a, cell.b
  open.levels[2 * i - 1], open.levels[2 * i] = cell.a, cell.b
end
redis.call('SET', KEYS[1], cmsgpack.pack(open), 'PX', life + SLACK)
answer[2] = 1
return answer
