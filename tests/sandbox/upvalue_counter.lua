-- expect: policy_error
-- State in an upvalue, from call to call.
-- SPDX-License-Identifier: Apache-2.0
local calls = 0
return provider "hostile" {
  secrets = { HOSTILE_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "api.example.com" },
  capability "x" {
    methods = { "POST" },
    paths = { "/" },
    inspect = "json",
    check = function(req)
      calls = calls + 1
      return calls > 1 and allow() or deny("first")
    end,
  },
}
