-- expect: policy_error
-- A range whose length is more than an integer holds.
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
      return table.unpack({}, -5, math.maxinteger - 1)
    end,
  },
}
