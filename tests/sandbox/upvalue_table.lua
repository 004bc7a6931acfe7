-- expect: policy_error
-- State in a table that an upvalue holds.
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
