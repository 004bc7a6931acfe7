--- Only these callers, by name: "user:NAME" or "token:NAME".
-- SPDX-License-Identifier: Apache-2.0
return policy "caller_allow" {
  about  = "Only these callers",
  params = { callers = list() },
  check = function(req, p)
    for _, name in ipairs(p.callers) do
      if req.caller.name == name then
        return allow()
      end
    end
    return deny("this caller is not on the list", { reason = "caller_not_allowed" })
  end,
}
