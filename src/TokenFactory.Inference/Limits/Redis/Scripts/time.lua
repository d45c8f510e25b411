-- The time of every replica: the server's own, in milliseconds since 1970. No replica's clock decides anything.
local instant = redis.call('TIME')
local now = tonumber(instant[1]) * 1000 + math.floor(tonumber(instant[2]) / 1000)
