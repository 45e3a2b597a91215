/* A report's files. */
#include <stdio.h>

#include "cli/files.h"
#include "load/report/page.h"
#include "load/report/writers.h"

static const struct {
    const char *name;
    void (*write)(const struct load_report *report, struct buf *out);
} files[] = {
    {"summary.json", report_json},
    {"series.csv", report_series_csv},
    {"latency.csv", report_latency_csv},
    {"report.html", page_write},
};

enum result report_write(const struct load_report *report, const char *dir, struct err *err)
{
    enum result result = directory_make_all(dir, err);
    for (size_t i = 0; i < sizeof files / sizeof files[0] && result == OK; i++) {
        char path[4096];
        struct buf text = {0};
        if (snprintf(path, sizeof path, "%s/%s", dir, files[i].name) >= (int)sizeof path)
            return err_set(err, INVALID, "%s: too long a path", dir);
        files[i].write(report, &text);
        result = file_write(path, text.data, text.size, err);
        buf_release(&text);
    }
    return result;
}
