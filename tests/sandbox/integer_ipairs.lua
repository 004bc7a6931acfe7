-- expect: policy_error
-- The step of ipairs called by hand, from the last integer there is.
-- SPDX-License-Identifier: Apache-2.0
return provider "hostile" {
  secrets = { HOSTILE_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "api.example.com" },
  capability "x" {
    methods = { "POST" },
    paths = { "/" },
    inspect = "json",
    check = function()
      local step, t = ipairs({})
      step(t, math.maxinteger)
      return allow()
    end,
  },
}
