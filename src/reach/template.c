/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/template.h"

bool
template_name_is_valid(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
			continue;
		if (i > 0 && ((c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-'))
			continue;
		return false;
	}
	return name.len > 0 && name.len <= TEMPLATE_MAX_NAME;
}

bool
template_next(struct str text, size_t *pos, struct str *name)
{
	for (size_t i = *pos; i < text.len; i++) {
		size_t end;
		if (text.p[i] != '{')
			continue;
		if (text.len - i < 5 || text.p[i + 1] != '{')
			return false;
		for (end = i + 2; end < text.len && text.p[end] != '}'; end++)
			continue;
		if (text.len - end < 2 || text.p[end + 1] != '}')
			return false;
		*name = (struct str){text.p + i + 2, end - i - 2};
		*pos = end + 2;
		return template_name_is_valid(*name);
	}
	return false;
}

bool
template_is_valid(struct str text)
{
	struct str name;
	size_t pos = 0, last = 0;

	/* Between and after the placeholders no brace may stand. */
	while (last < text.len) {
		bool more = template_next(text, &pos, &name);
		size_t literal_end = more ? (size_t)(name.p - text.p) - 2 : text.len;
		for (size_t i = last; i < literal_end; i++)
			if (text.p[i] == '{' || text.p[i] == '}')
				return false;
		if (!more)
			return true;
		last = pos;
	}
	return true;
}
