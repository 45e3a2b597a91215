/* warren load compare: the ratios of two runs, and what it says of files that are none. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/files.h"
#include "load/compare.h"
#include "tests/unit/load_sample.h"
#include "tests/unit/unit.h"

static char folder[512];

static const char *at(const char *name, char *path, size_t size)
{
    const char *base = getenv("TMPDIR");
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "%s/warren-compare-XXXXXX", base ? base : "/tmp");
        if (!mkdtemp(folder))
            abort();
    }
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* A run whose orders took `times` as long, at a rate that much lower. */
static void write_run(const char *name, int times)
{
    char path[600];
    struct load_report *report = load_sample_new();
    struct load_histogram *settle = &report->latency[LOAD_SETTLE];
    *settle = (struct load_histogram){0};
    for (int64_t i = 1; i <= 1000; i++)
        load_histogram_add(settle, i * 100 * times);
    report->totals.accepted /= times;
    load_text(report->identity.title, LOAD_TEXT_MAX, name);
    CU_ASSERT_EQUAL(report_write(report, at(name, path, sizeof path), NULL), OK);
    load_report_free(report);
}

static void expect_line(const char *text, const char *begin, const char *end)
{
    const char *line = strstr(text, begin);
    char found[200] = "";
    if (line)
        snprintf(found, sizeof found, "%.*s", (int)strcspn(line, "\n"), line);
    size_t size = strlen(found), tail = strlen(end);
    bool right = size >= tail && strcmp(found + size - tail, end) == 0;
    if (!right)
        printf("\"%s\" does not end in \"%s\"\n", found, end);
    CU_ASSERT(right);
}

static void ratios_are_b_to_a(void)
{
    char a[600], b[600];
    struct buf out = {0};
    struct err err = {""};
    write_run("first", 1);
    write_run("second", 2);
    enum result result =
        compare_write(at("first", a, sizeof a), at("second/summary.json", b, sizeof b), &out, &err);
    CU_ASSERT_EQUAL(result, OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out.data);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "A: first, 2026-11-27T07:00:00.000Z\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "B: second"));
    expect_line(out.data, "accepted a second", "1,200           600     0.50\u00d7");
    expect_line(out.data, "slowest to settled", "100\u00a0ms        200\u00a0ms     2.00\u00d7");
    expect_line(out.data, "lost  ", "0             0         =");
    expect_line(out.data, "broker RSS", "1.00\u00d7");
    CU_ASSERT_PTR_NULL(strstr(out.data, "not the same"));
    CU_ASSERT_PTR_NULL(strstr(out.data, "p99 of queries")); /* neither run asked any */
    buf_release(&out);
}

static void what_differs_is_said(void)
{
    char a[600], b[600];
    struct buf out = {0};
    struct load_report *report = load_sample_new();
    report->machine.cores = 64;
    report->generator.saturated = true;
    report->fate.checked = 0;
    CU_ASSERT_EQUAL(report_write(report, at("other", b, sizeof b), NULL), OK);
    load_report_free(report);
    write_run("first", 1);
    CU_ASSERT_EQUAL(compare_write(at("first", a, sizeof a), b, &out, NULL), OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out.data);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "not the same: cores: 2, 64\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "B: the generator was the bottleneck\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "B: the loss check was not checked\n"));
    CU_ASSERT_PTR_NULL(strstr(out.data, "A: the"));
    buf_release(&out);
}

static void unreadable_is_said_with_its_name(void)
{
    static const char *const bad[] = {"", "{", "[]", "{\"format\":2,\"latency\":{\"settle\":{}}}",
                                      "{\"format\": 1}"};
    char a[600], b[600];
    struct buf out = {0};
    struct err err = {""};
    write_run("first", 1);
    at("first", a, sizeof a);
    CU_ASSERT_EQUAL(compare_write(a, at("nowhere", b, sizeof b), &out, &err), NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "nowhere"));
    at("bad.json", b, sizeof b);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT_EQUAL(file_write(b, bad[i], strlen(bad[i]), NULL), OK);
        CU_ASSERT_EQUAL(compare_write(b, a, &out, &err), INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "bad.json"));
    }
    CU_ASSERT_EQUAL(out.size, 0);
    buf_release(&out);
}

/* Members of another kind than they should be are as good as not there. */
static void odd_members_do_no_harm(void)
{
    static const char odd[] = "{\"format\":1,\"latency\":{\"settle\":{\"p99_us\":\"x\"}},"
                              "\"title\":[],\"peaks\":{\"processes\":[1,{\"name\":2}]}}";
    char b[600];
    struct buf out = {0};
    CU_ASSERT_EQUAL(file_write(at("odd.json", b, sizeof b), odd, sizeof odd - 1, NULL), OK);
    CU_ASSERT_EQUAL(compare_write(b, b, &out, NULL), OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out.data);
    CU_ASSERT_PTR_NULL(strstr(out.data, "p99 to settled"));
    buf_release(&out);
}

static const struct unit_case cases[] = {
    {"ratios are B to A", ratios_are_b_to_a},
    {"what differs is said", what_differs_is_said},
    {"what cannot be read is said with its name", unreadable_is_said_with_its_name},
    {"odd members do no harm", odd_members_do_no_harm},
};

UNIT_MAIN("load_compare", cases)
