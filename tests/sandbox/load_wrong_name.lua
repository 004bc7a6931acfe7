-- expect: policy_error: the file's name
-- A script that claims another provider.
-- SPDX-License-Identifier: Apache-2.0
return provider "openai" {
  secrets = { OTHER_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "evil.example.com" },
}
