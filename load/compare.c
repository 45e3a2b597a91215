#include "load/compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/exit_codes.h"
#include "cli/files.h"
#include "common/base/json.h"
#include "common/base/options.h"
#include "load/report/figures.h"

enum unit { UNIT_RATE, UNIT_COUNT, UNIT_DURATION, UNIT_CPU, UNIT_BYTES };

/* What is compared, in the order of the table; a row that neither run knows is left out. */
static const struct {
    const char *name;
    const char *path; /* in summary.json */
    enum unit unit;
} rows[] = {
    {"offered a second", "rates.offered", UNIT_RATE},
    {"accepted a second", "rates.accepted", UNIT_RATE},
    {"settled a second", "rates.settled", UNIT_RATE},
    {"highest rate within the bound", "limit.best_rate", UNIT_RATE},
    {"median to the 202", "latency.accept.p50_us", UNIT_DURATION},
    {"p99 to the 202", "latency.accept.p99_us", UNIT_DURATION},
    {"p99.9 to the 202", "latency.accept.p999_us", UNIT_DURATION},
    {"median to settled", "latency.settle.p50_us", UNIT_DURATION},
    {"p99 to settled", "latency.settle.p99_us", UNIT_DURATION},
    {"p99.9 to settled", "latency.settle.p999_us", UNIT_DURATION},
    {"slowest to settled", "latency.settle.max_us", UNIT_DURATION},
    {"median to notified", "latency.notify.p50_us", UNIT_DURATION},
    {"p99 to notified", "latency.notify.p99_us", UNIT_DURATION},
    {"p99 of queries", "latency.query.p99_us", UNIT_DURATION},
    {"time to drain", "after.drain_us", UNIT_DURATION},
    {"most unsettled at once", "peaks.unsettled", UNIT_COUNT},
    {"refused", "totals.refused", UNIT_COUNT},
    {"unknown", "totals.unknown", UNIT_COUNT},
    {"never sent", "totals.not_sent", UNIT_COUNT},
    {"lost", "fate.lost", UNIT_COUNT},
    {"doubled", "fate.doubled", UNIT_COUNT},
    {"unsettled", "fate.unsettled", UNIT_COUNT},
};

/* What two runs should have in common before their figures are compared. */
static const struct {
    const char *name;
    const char *path;
} settings[] = {
    {"load", "plan.mode"},       {"users", "plan.users"},      {"CPU", "machine.cpu_model"},
    {"cores", "machine.cores"},  {"kernel", "machine.kernel"}, {"broker", "machine.broker"},
    {"duration", "duration_us"},
};

/* --- reading ---------------------------------------------------------------------------------------- */

static const cJSON *member(const cJSON *json, const char *path)
{
    char names[128];
    snprintf(names, sizeof names, "%s", path);
    char *rest = names;
    for (char *name = strtok_r(rest, ".", &rest); name && json; name = strtok_r(NULL, ".", &rest))
        json = cJSON_GetObjectItemCaseSensitive(json, name);
    return json;
}

/* NAN when it is not there or null. */
static double value(const cJSON *json, const char *path)
{
    const cJSON *item = member(json, path);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static enum result read_summary(const char *path, cJSON **ret_json, struct err *err)
{
    static const struct json_limits limits = {8 << 20, 16};
    char inside[4096];
    struct stat status;
    struct buf text = {0};
    cJSON *json = NULL;
    snprintf(inside, sizeof inside, "%s", path);
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
        snprintf(inside, sizeof inside, "%s/summary.json", path) >= (int)sizeof inside)
        return err_set(err, INVALID, "%s: too long a path", path);
    enum result result = file_load(inside, &text, err);
    if (result == OK && json_parse(text.data, text.size, &limits, &json, err) != OK)
        result = err_context(err, INVALID, "%s", inside);
    buf_release(&text);
    if (result != OK)
        return result;
    if (value(json, "format") != 1 || !member(json, "latency.settle")) {
        cJSON_Delete(json);
        return err_set(err, INVALID, "%s: not a summary of a load run", inside);
    }
    *ret_json = json;
    return OK;
}

/* --- writing ---------------------------------------------------------------------------------------- */

/* Pads by what is seen, not by bytes. */
static void cell(struct buf *out, const char *text, int width)
{
    int seen = 0;
    for (const char *at = text; *at; at++)
        seen += ((unsigned char)*at & 0xC0) != 0x80;
    buf_printf(out, "%*s%s", seen < width ? width - seen : 0, "", text);
}

static struct figure figure_of(double number, enum unit unit)
{
    if (isnan(number))
        return (struct figure){"\u2013"};
    switch (unit) {
    case UNIT_RATE:
        return figure_rate(number);
    case UNIT_DURATION:
        return figure_duration(llround(number));
    case UNIT_CPU:
        return figure_cpu(llround(number));
    case UNIT_BYTES:
        return figure_bytes(llround(number));
    case UNIT_COUNT:
        break;
    }
    return figure_count(llround(number));
}

static struct figure ratio_of(double a, double b)
{
    struct figure figure = {"\u2013"};
    if (!isnan(a) && !isnan(b) && a > 0)
        snprintf(figure.text, sizeof figure.text, "%.2f\u00d7", b / a);
    else if (!isnan(a) && !isnan(b) && b <= 0)
        snprintf(figure.text, sizeof figure.text, "=");
    return figure;
}

static void write_row(struct buf *out, const char *name, double a, double b, enum unit unit)
{
    if (isnan(a) && isnan(b))
        return;
    buf_printf(out, "%-34s", name);
    cell(out, figure_of(a, unit).text, 14);
    cell(out, figure_of(b, unit).text, 14);
    cell(out, ratio_of(a, b).text, 10);
    buf_text(out, "\n");
}

static const cJSON *named(const cJSON *list, const char *name)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        const char *other = cJSON_GetStringValue(member(item, "name"));
        if (other && strcmp(other, name) == 0)
            return item;
    }
    return NULL;
}

/* CPU for the whole run and the most memory of each process that both runs know. */
static void write_processes(struct buf *out, const cJSON *a, const cJSON *b)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, member(a, "peaks.processes"))
    {
        const char *name = cJSON_GetStringValue(member(item, "name"));
        const cJSON *other = name ? named(member(b, "peaks.processes"), name) : NULL;
        char title[96];
        if (!other)
            continue;
        snprintf(title, sizeof title, "%.24s CPU", name);
        write_row(out, title, value(item, "cpu_milli_mean"), value(other, "cpu_milli_mean"),
                  UNIT_CPU);
        snprintf(title, sizeof title, "%.24s RSS", name);
        write_row(out, title, value(item, "rss_bytes"), value(other, "rss_bytes"), UNIT_BYTES);
    }
}

static const char *text_of(const cJSON *json, const char *path, char *number, size_t size)
{
    const char *text = cJSON_GetStringValue(member(json, path));
    double amount = value(json, path);
    if (text || isnan(amount))
        return text ? text : "unknown";
    snprintf(number, size, "%" PRId64, (int64_t)amount);
    return number;
}

/* A ratio between runs on other machines says little: it is said before the table. */
static void write_differences(struct buf *out, const cJSON *a, const cJSON *b)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        char left[32], right[32];
        const char *of_a = text_of(a, settings[i].path, left, sizeof left);
        const char *of_b = text_of(b, settings[i].path, right, sizeof right);
        if (strcmp(of_a, of_b) != 0)
            buf_printf(out, "not the same: %s: %s, %s\n", settings[i].name, of_a, of_b);
    }
    const cJSON *both[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        const char *verdict = cJSON_GetStringValue(member(both[i], "verdict"));
        if (cJSON_IsTrue(member(both[i], "generator.saturated")))
            buf_printf(out, "%c: the generator was the bottleneck\n", (int)('A' + i));
        if (!verdict || strcmp(verdict, "clean") != 0)
            buf_printf(out, "%c: the loss check was %s\n", (int)('A' + i),
                       verdict ? verdict : "not made");
    }
}

static void write_table(struct buf *out, const cJSON *a, const cJSON *b)
{
    char none[32];
    buf_printf(out, "A: %s, %s\n", text_of(a, "title", none, sizeof none),
               text_of(a, "started_at", none, sizeof none));
    buf_printf(out, "B: %s, %s\n", text_of(b, "title", none, sizeof none),
               text_of(b, "started_at", none, sizeof none));
    write_differences(out, a, b);
    buf_printf(out, "\n%-34s%14s%14s%10s\n", "", "A", "B", "B/A");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        write_row(out, rows[i].name, value(a, rows[i].path), value(b, rows[i].path), rows[i].unit);
    write_processes(out, a, b);
}

enum result compare_write(const char *a, const char *b, struct buf *out, struct err *err)
{
    cJSON *left = NULL, *right = NULL;
    enum result result = read_summary(a, &left, err);
    if (result == OK)
        result = read_summary(b, &right, err);
    if (result == OK)
        write_table(out, left, right);
    cJSON_Delete(left);
    cJSON_Delete(right);
    return result;
}

static const struct options options = {
    .program = "warren load compare",
    .synopsis = "A B",
    .about = "Two runs side by side. A and B are folders that 'warren load --out' wrote, or their\n"
             "summary.json. Exits 5 when one of them cannot be read.",
};

int compare_main(int argc, char **argv)
{
    struct buf out = {0};
    struct err err = {""};
    int operand = options_parse(&options, argc, argv);
    if (argc - operand != 2) {
        fprintf(stderr, "warren load compare: give two runs\nTry 'warren load compare --help'.\n");
        return CLI_USAGE;
    }
    enum result result = compare_write(argv[operand], argv[operand + 1], &out, &err);
    if (result == OK)
        fputs(out.data, stdout);
    else
        fprintf(stderr, "warren load compare: %s\n", err.text);
    buf_release(&out);
    return result == OK ? CLI_DONE : CLI_UNREACHABLE;
}
