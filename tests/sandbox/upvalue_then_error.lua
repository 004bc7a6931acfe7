-- expect: policy_error: third
-- State that an error is to hide.
-- SPDX-License-Identifier: Apache-2.0
local calls
return provider "hostile" {
  secrets = { HOSTILE_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "api.example.com" },
  capability "x" {
    methods = { "POST" },
    paths = { "/" },
    inspect = "json",
    check = function(req)
      calls = calls and calls + 1 or 1
      if calls > 1 then return allow() end
      error("third")
    end,
  },
}
