-- expect: policy_error | policy_memory | policy_timeout
-- More values than a stack holds.
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
      local function f(...) return f(1, 2, 3, 4, 5, 6, 7, 8, ...) end
      return f()
    end,
  },
}
