package cache

import "github.com/redis/go-redis/v9"

// The state of a budget is a hash: "pause" is when all may go on after a 429,
// "penalty" the last pause that no header named, "silent" until when the server
// is taken for one without headers, "minute" and "hour" the theoretical arrival
// times of the configured limits, and "left:LIMIT", "reset:LIMIT" a window of
// the server, which is known by its size. All times are in milliseconds of
// Redis' clock, the arrival times in microseconds.
//
// "left" is the least that an answer said is left. What is under way beside it
// may be in the server's count already, or not: the scripts never let more
// requests be under way than are left. A request that is old has reached the
// server, if it ever will, whether its process lives to see the answer or not:
// it counts as one that the server has taken from what was left, and no more as
// under way.

// takeRequest reserves a request and returns 0, or how many milliseconds to wait.
//
// ARGV: flight, when it is old, the state's life, the pause before another look
// at what is under way, then for the minute and the hour: microseconds between
// requests, burst.
var takeRequest = redis.NewScript(`
local time = redis.call("TIME")
local us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(us / 1000)
local look = tonumber(ARGV[4])
local old = redis.call("ZREMRANGEBYSCORE", KEYS[2], "-inf", now - tonumber(ARGV[2]))
local out = redis.call("ZCARD", KEYS[2])
local flat, state = redis.call("HGETALL", KEYS[1]), {}
for i = 1, #flat, 2 do state[flat[i]] = flat[i + 1] end
local wait = tonumber(state["pause"] or 0) - now
local known = false
for field, value in pairs(state) do
  local limit = string.match(field, "^reset:(.+)$")
  if limit then
    local reset = tonumber(value)
    if reset > now then
      known = true
      local left = tonumber(state["left:" .. limit] or 0) - old
      if old > 0 then redis.call("HSET", KEYS[1], "left:" .. limit, left) end
      if left <= 0 then
        wait = math.max(wait, reset - now)
      elseif left <= out then
        wait = math.max(wait, math.min(look, reset - now))
      end
    elseif tonumber(limit) > 0 and not state["penalty"] then
      -- No window is likely to hold less than the last of its size.
      known = true
      if out >= tonumber(limit) then wait = math.max(wait, look) end
    end
  end
end
if wait <= 0 and not known and tonumber(state["silent"] or 0) <= now and out > 0 then wait = look end
local arrivals = {}
for i, name in ipairs({"minute", "hour"}) do
  local every, burst = tonumber(ARGV[3 + 2 * i]), tonumber(ARGV[4 + 2 * i])
  if every > 0 then
    local arrival = math.max(tonumber(state[name] or 0), us)
    local early = arrival - (burst - 1) * every - us
    if early > 0 then wait = math.max(wait, math.ceil(early / 1000)) end
    arrivals[name] = arrival + every
  end
end
if wait > 0 then return wait end
for name, arrival in pairs(arrivals) do redis.call("HSET", KEYS[1], name, string.format("%.0f", arrival)) end
redis.call("ZADD", KEYS[2], now, ARGV[1])
redis.call("PEXPIRE", KEYS[1], ARGV[3])
redis.call("PEXPIRE", KEYS[2], ARGV[3])
return 0`)

// tellAnswer ends a request and takes over what its answer says. Answers come
// out of order, so within one window only a smaller remainder and an earlier
// reset are believed. In windows that the answer does not speak of the request
// is counted.
//
// ARGV: flight, the state's life, limit, remaining or -1, milliseconds to the
// reset, 1 for a 429, milliseconds to pause or -1, the longest pause.
var tellAnswer = redis.NewScript(`
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local under_way = redis.call("ZREM", KEYS[2], ARGV[1]) == 1
-- A server that names ever other limits must not fill Redis.
if redis.call("HLEN", KEYS[1]) > 100 then redis.call("DEL", KEYS[1]) end
local limit, remaining, reset = ARGV[3], tonumber(ARGV[4]), now + tonumber(ARGV[5])
for _, field in ipairs(redis.call("HKEYS", KEYS[1])) do
  local other = string.match(field, "^left:(.+)$")
  if other and under_way and (other ~= limit or remaining < 0) then redis.call("HINCRBY", KEYS[1], field, -1) end
end
if remaining >= 0 then
  local held = tonumber(redis.call("HGET", KEYS[1], "reset:" .. limit) or 0)
  if held > now and math.abs(held - reset) < 2000 then
    remaining = math.min(remaining, tonumber(redis.call("HGET", KEYS[1], "left:" .. limit) or 0))
    reset = math.min(reset, held)
  end
  if held <= now or reset > held - 2000 then
    redis.call("HSET", KEYS[1], "left:" .. limit, remaining, "reset:" .. limit, string.format("%.0f", reset))
  end
elseif ARGV[6] == "0" then
  redis.call("HSET", KEYS[1], "silent", string.format("%.0f", now + 60000))
end
if ARGV[6] == "1" then
  local pause = tonumber(ARGV[7])
  if pause < 0 then
    pause = math.min(math.max(2 * tonumber(redis.call("HGET", KEYS[1], "penalty") or 0), 1000), tonumber(ARGV[8]))
    redis.call("HSET", KEYS[1], "penalty", pause)
  end
  local till = now + pause
  if till > tonumber(redis.call("HGET", KEYS[1], "pause") or 0) then
    redis.call("HSET", KEYS[1], "pause", string.format("%.0f", till))
  end
else
  redis.call("HDEL", KEYS[1], "penalty")
end
redis.call("PEXPIRE", KEYS[1], ARGV[2])
return 1`)

// loseRequest ends a request that no answer came to: it may have been counted.
//
// ARGV: flight.
var loseRequest = redis.NewScript(`
if redis.call("ZREM", KEYS[2], ARGV[1]) == 0 then return 0 end
for _, field in ipairs(redis.call("HKEYS", KEYS[1])) do
  if string.match(field, "^left:") then redis.call("HINCRBY", KEYS[1], field, -1) end
end
return 1`)
