/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/template.h"

enum av_err
auth_render_query(const struct auth_input *in, struct auth_output *out, struct fault *f)
{
	struct secret_span spans[KEEPER_MAX_SPANS];
	size_t span_count = 0;
	struct secret *value = NULL;
	if (in->auth->pairs.count != 1)
		return fault_set(
		    f, AV_EAUTH, "template_invalid", "", "query auth needs one parameter");
	const struct pair *p = &in->auth->pairs.items[0];
	enum av_err e = template_render(
	    in, STR_LIT("{{secret}}"), TEMPLATE_QUERY, &value, spans, &span_count, f);
	if (e != AV_OK)
		return e;
	e = auth_add_part(out, AUTH_PLACE_QUERY, str_of(p->name), value, spans, span_count);
	return e == AV_OK ? AV_OK : fault_set(f, e, "out_of_memory", "", "%s", av_err_text(e));
}
