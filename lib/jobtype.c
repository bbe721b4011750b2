#include "jobtype.h"
#include "words.h"

#include <string.h>

#define U32 0, UINT32_MAX, NULL
#define TEXT 0, SIZE_MAX, NULL
#define WORD 1, 256, NULL
#define END { NULL, CHECK_STRING, false, 0, 0, NULL }

static const struct check_rule inference[] = {
	{ "model_type", CHECK_STRING, true, WORD }, { "input_data", CHECK_STRING, true, TEXT },
	{ "batch_size", CHECK_WHOLE, true, U32 }, { "parameters", CHECK_OBJECT, false, TEXT }, END
};
static const struct check_rule render[] = {
	{ "scene_file", CHECK_STRING, true, 1, 4096, NULL }, { "output_resolution", CHECK_WHOLES, true, 1, UINT32_MAX, NULL },
	{ "frames", CHECK_WHOLE, false, U32 }, { "quality_preset", CHECK_STRING, true, WORD }, END
};
static const struct check_rule video[] = {
	{ "input_file", CHECK_STRING, true, 1, 4096, NULL }, { "output_format", CHECK_STRING, true, WORD },
	{ "resolution", CHECK_WHOLES, true, 1, UINT32_MAX, NULL }, { "frame_rate", CHECK_NUMBER, true, TEXT },
	{ "duration", CHECK_NUMBER, true, TEXT }, END
};
static const struct check_rule vision[] = {
	{ "task_type", CHECK_STRING, true, WORD }, { "model_name", CHECK_STRING, true, WORD },
	{ "input_images", CHECK_STRINGS, true, 0, 100000, NULL }, { "output_format", CHECK_STRING, true, WORD },
	{ "confidence_threshold", CHECK_NUMBER, true, TEXT }, { "batch_size", CHECK_WHOLE, true, U32 },
	{ "additional_params", CHECK_OBJECT, false, TEXT }, END
};
static const struct check_rule nlp[] = {
	{ "task_type", CHECK_STRING, true, WORD }, { "model_name", CHECK_STRING, true, WORD },
	{ "input_text", CHECK_STRINGS, true, 0, 100000, NULL }, { "max_tokens", CHECK_WHOLE, true, U32 },
	{ "temperature", CHECK_NUMBER, true, TEXT }, { "context_window", CHECK_WHOLE, true, U32 },
	{ "additional_params", CHECK_OBJECT, false, TEXT }, END
};
static const struct check_rule proof[] = {
	{ "circuit_type", CHECK_STRING, true, WORD }, { "input_data", CHECK_STRING, true, TEXT },
	{ "proof_system", CHECK_STRING, true, WORD }, END
};
static const struct check_rule custom[] = {
	{ "docker_image", CHECK_STRING, true, 1, 4096, NULL }, { "command", CHECK_STRINGS, true, 0, 10000, NULL },
	{ "input_files", CHECK_STRINGS, true, 0, 100000, NULL }, { "parallelizable", CHECK_BOOLEAN, true, TEXT }, END
};
static const struct check_rule any[] = { END };

static const struct jobtype types[] = {
	{ "AIInference", "ai", inference, "model_type", "input_data" },
	{ "Render3D", "render3d", render, NULL, "scene_file" },
	{ "VideoProcessing", "video", video, NULL, "input_file" },
	{ "ComputerVision", "computer_vision", vision, "model_name", "input_images" },
	{ "NLP", "nlp", nlp, "model_name", "input_text" },
	{ "ZKProof", "zk_proof", proof, "circuit_type", "input_data" },
	{ "Custom", "custom", custom, "docker_image", "input_files" },
	{ "AudioProcessing", "audio", any, "model_name", "input_files" },
	{ "TimeSeriesAnalysis", "time_series", any, "model_name", "input_data" },
	{ "MultimodalAI", "multimodal", any, "model_name", "inputs" },
	{ "ReinforcementLearning", "reinforcement", any, "model_name", NULL },
	{ "SpecializedAI", "specialized", any, "model_name", "input_data" },
};

const struct jobtype *
jobtype_of(const struct rec_member *m)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (rec_named(m, types[i].variant))
			return &types[i];
	return NULL;
}

const char *
jobtype_priority(const struct rec_member *m, bool envelope)
{
	static const char *const envelope_words[][2] = { { "Low", "Low" }, { "Normal", "Medium" },
		{ "Medium", "Medium" }, { "High", "High" }, { "Critical", "High" } };
	uint64_t v;

	for (size_t i = 0; m && envelope && i < 5; i++)
		if (rec_is(m, envelope_words[i][0]))
			return envelope_words[i][1];
	if (rec_u64(m, &v) < 0 || (envelope && (v < 1 || v > 4)) || v > 255)
		return NULL;
	if (envelope)
		return v == 1 ? "Low" : v == 2 ? "Medium" : "High";
	if (v > 10)
		return v <= 85 ? "Low" : v <= 170 ? "Medium" : "High";
	return v <= 3 ? "Low" : v <= 7 ? "Medium" : "High";
}

void
jobtype_check(struct check *c, const struct rec_member *m, const char *allowed)
{
	static struct rec outer, inner;
	const struct jobtype *t;

	if (m->type != '{' || rec_parse(&outer, m->val, m->val_len) != REC_OK || outer.n != 1) {
		buf_adds(check_fault(c, "job_type"), "must be an object of one member, named for the type");
		return;
	}
	t = jobtype_of(&outer.m[0]);
	if (!t) {
		buf_adds(check_fault(c, "job_type"), "there is no job type of this name");
		return;
	}
	if (!words_have(allowed, ",", t->word, strlen(t->word)))
		buf_addf(check_fault(c, "job_type"), "%s (%s) is not one of the allowed: %s", t->variant, t->word, allowed);
	if (outer.m[0].type != '{' || rec_parse(&inner, outer.m[0].val, outer.m[0].val_len) != REC_OK) {
		buf_addf(check_fault(c, "job_type"), "%s must be an object", t->variant);
		return;
	}
	c->within = "job_type.";
	c->nulls = true;
	check_members(c, t->rules, &inner);
	c->nulls = false;
	c->within = "";
}
