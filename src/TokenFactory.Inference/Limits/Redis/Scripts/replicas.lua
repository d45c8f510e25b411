-- Says that this replica lives, forgets those that have not said so for a while, and answers how many do.
-- KEYS: the set of replicas. ARGV: this one's id, how long a word counts in ms; the id alone with 0 leaves.
local kept = tonumber(ARGV[2])
if kept == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], now + kept, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], kept + SLACK)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return redis.call('ZCARD', KEYS[1])
