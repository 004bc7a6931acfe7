-- expect: policy_error
-- A length that a metamethod invents.
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
      local t = setmetatable({}, { __len = function() return 1 << 40 end })
      table.insert(t, 1, 1)
    end,
  },
}
