-- expect: policy_error: memory
-- Memory while the script is loaded.
local t = {}
for i = 1, 1e9 do t[i] = { i } end
