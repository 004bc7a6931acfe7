-- expect: policy_error
-- Source text that says it is bytecode is read as text.
Lua
