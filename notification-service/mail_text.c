#include "notification-service/mail_text.h"

#include <string.h>
#include <time.h>

#include "common/base/digest.h"
#include "common/base/json.h"

enum result mail_read(const char *request, struct mail *ret_mail, struct err *err)
{
    static const struct json_limits limits = {.max_size = 16384, .max_depth = 4};
    cJSON *json;
    enum result result = json_parse(request, strlen(request), &limits, &json, err);
    if (result != OK)
        return result;
    result = bind_decode(&mail_type, json, BIND_OPEN, ret_mail, err);
    cJSON_Delete(json);
    if (result == OK)
        result = mail_check_address(ret_mail->to, err);
    if (result == OK)
        result = mail_check_subject(ret_mail->subject, err);
    if (result == OK)
        result = mail_check_text(ret_mail->text, err);
    return result;
}

static void append_date(int64_t wall_ms, struct buf *out)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char text[64] = "";
    /* English whatever the machine speaks: no program here calls setlocale(). */
    if (gmtime_r(&seconds, &utc))
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &utc);
    buf_printf(out, "Date: %s\r\n", text);
}

static void append_message_id(const char *key, const char *from, struct buf *out)
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(key, strlen(key), hex);
    buf_printf(out, "Message-ID: <%.40s%s>\r\n", hex, strchr(from, '@'));
}

static void append_text(const char *text, struct buf *out)
{
    for (const char *line = text; *line;) {
        size_t size = strcspn(line, "\n");
        buf_append(out, line, size);
        buf_text(out, "\r\n");
        line += size + (line[size] == '\n');
    }
}

void mail_compose(const struct mail *mail, const char *from, const char *key, int64_t wall_ms,
                  struct buf *out)
{
    append_date(wall_ms, out);
    append_message_id(key, from, out);
    buf_printf(out, "From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\n", from, mail->to, mail->subject);
    buf_text(out, "MIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=us-ascii\r\n"
                  "Auto-Submitted: auto-generated\r\n\r\n");
    append_text(mail->text, out);
}
