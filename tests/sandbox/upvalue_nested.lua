-- expect: policy_error
-- State two functions away.
-- SPDX-License-Identifier: Apache-2.0
local n = 0
local function add() n = n + 1; return n end
local function bump() return add() end
return provider "hostile" {
  secrets = { HOSTILE_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "api.example.com" },
  capability "x" {
    methods = { "POST" },
    paths = { "/" },
    inspect = "json",
    check = function(req)
      return bump() > 1 and allow() or allow()
    end,
  },
}
