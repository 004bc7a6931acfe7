-- expect: policy_error | policy_memory | policy_timeout
-- JSON with more values than are read.
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
      local s = "0,"
      for _ = 1, 17 do s = s .. s end
      json.decode("[" .. s .. "0]")
      return allow()
    end,
  },
}
