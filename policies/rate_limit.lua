--- At most `per_minute` calls a minute, counted over restarts.
-- `per = "agent"` counts one caller over all capabilities that name this policy.
-- SPDX-License-Identifier: Apache-2.0
return policy "rate_limit" {
  about  = "At most so many calls a minute",
  params = {
    per_minute = int { min = 0 },
    per = one_of { "capability", "agent", default = "capability" },
  },
  check = function(req, p)
    local ok, wait
    if p.per == "agent" then
      ok, wait = counter.take(req.caller.name, p.per_minute, 60, "everywhere")
    else
      ok, wait = counter.take("all", p.per_minute, 60)
    end
    if not ok then
      return deny("over the limit of " .. p.per_minute .. " calls a minute", {
        reason = "rate_limit",
        retry_after = wait,
        remedy = "wait, or raise the limit with `aivault capability policy set`",
      })
    end
    return allow()
  end,
}
