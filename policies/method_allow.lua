--- Only these methods. Narrows what the capability's own methods let through.
-- SPDX-License-Identifier: Apache-2.0
return policy "method_allow" {
  about  = "Only these methods",
  params = { methods = list() },
  check = function(req, p)
    for _, method in ipairs(p.methods) do
      if req.method == method then
        return allow()
      end
    end
    return deny("the method " .. req.method .. " is not on the list", {
      reason = "method_not_allowed",
    })
  end,
}
