-- expect: policy_error
-- Source text that says it is bytecode is read as text.
-- SPDX-License-Identifier: Apache-2.0
Lua
