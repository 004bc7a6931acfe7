-- expect: policy_error
-- A key that reaches into the names of others.
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
      counter.take("a\0b", 1, 60)
      return allow()
    end,
  },
}
