-- expect: policy_timeout
-- A small function with exponential run time.
-- SPDX-License-Identifier: Apache-2.0
return provider "hostile" {
  secrets = { HOSTILE_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "api.example.com" },
  capability "x" {
    methods = { "POST" },
    paths = { "/" },
    inspect = "json",
    check = function(req)
      local function f(n) return n < 2 and n or f(n - 1) + f(n - 2) end
      f(60)
      return allow()
    end,
  },
}
