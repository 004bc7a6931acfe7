-- expect: policy_error
-- State in a table that an upvalue holds.
-- SPDX-License-Identifier: Apache-2.0
local seen = {}
return provider "hostile" {
  secrets = { HOSTILE_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "api.example.com" },
  capability "x" {
    methods = { "POST" },
    paths = { "/" },
    inspect = "json",
    check = function(req)
      seen[#seen + 1] = req.path
      return allow()
    end,
  },
}
