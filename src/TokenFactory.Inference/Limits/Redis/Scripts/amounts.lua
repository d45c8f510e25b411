-- A Lua number is a double: whole numbers are exact below 2^53 only.
-- A rate is counted in units of 1/60000, so that a millisecond refills exactly the limit: whole numbers without drift. A
-- limit of at most 5*10^10 a minute and a debt cut at 4*10^15 units keep every sum below 2^53.
-- Lua writes a number of up to 14 digits exactly where it is joined to a text, and Redis any below 2^53 that is an argument of its own:
-- only what is used of a rate is longer and needs a format.
-- A budget is exact over the whole of a 64-bit integer: it is kept as billions (hi) and the rest (lo).
local WINDOW, MOST_A_MINUTE, MOST_USED = 60000, 50000000000, 4000000000000000
local BILLION, MOST_HI, MOST_LO = 1000000000, 9223372036, 854775807
local YEAR, SLACK, BUDGET_KEPT = 31536000000, 60000, 3456000000

-- In the place of a reservation whose take has not come; no reservation packs to it.
local GIVEN_BACK = 'given back'

local function split(amount) return tonumber(string.sub(amount, 1, -10)) or 0, tonumber(string.sub(amount, -9)) end

local function settled(hi, lo)
  local carry = math.floor(lo / BILLION)
  hi, lo = hi + carry, lo - carry * BILLION
  if hi < 0 then return 0, 0 end
  if hi > MOST_HI or (hi == MOST_HI and lo > MOST_LO) then return MOST_HI, MOST_LO end
  return hi, lo
end

-- Months since year 0, UTC, by the count of days in eras of 400 years that begin in March.
local function month_of(ms)
  local floor = math.floor
  local day = floor(ms / 86400000) + 719468
  local era = floor(day / 146097)
  local doe = day - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local march = floor((5 * doy + 2) / 153)
  local month = march < 10 and march + 2 or march - 10
  return (yoe + era * 400 + (month <= 1 and 1 or 0)) * 12 + month
end

-- What is used of a rate now, by the limit it was last counted under. A clock that went back refills nothing.
local function used_of(value)
  if not value then return 0, 0 end
  local used, at, limit = string.match(value, '^(%d+) (%d+) (%d+)$')
  used, at, limit = tonumber(used), tonumber(at), tonumber(limit)
  local refill = math.max(0, now - at) * limit
  return refill >= used and 0 or used - refill, limit
end

local function keep_rate(key, used, limit)
  local full_in = limit > 0 and math.ceil(used / limit) or 0
  redis.call('SET', key, string.format('%.0f ', used) .. now .. ' ' .. limit, 'PX', full_in + SLACK)
end

-- A month never goes backwards: a clock set back over its end would open a window that is already spent. The last answer
-- says that a new month began.
local function spent_of(value, month)
  local load, kept, hi, lo = string.match(value, '^(%S+) (%d+) (%d+) (%d+)$')
  kept = tonumber(kept)
  if kept < month then return load, month, 0, 0, true end
  return load, kept, tonumber(hi), tonumber(lo), false
end

local function keep_budget(key, load, month, hi, lo)
  redis.call('SET', key, load .. ' ' .. month .. ' ' .. hi .. ' ' .. lo, 'PX', BUDGET_KEPT)
end

-- Never shortens: another lease of the same bucket may live longer.
local function keep_leases(key, lease)
  if redis.call('PTTL', key) < lease + SLACK then redis.call('PEXPIRE', key, lease + SLACK) end
end
