#include "load/report/html.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

/* The length of the UTF-8 sequence at `text`, 0 when it is none (RFC 3629). */
static size_t sequence(const unsigned char *text)
{
    size_t size = text[0] < 0x80                       ? 1
                  : text[0] >= 0xC2 && text[0] <= 0xDF ? 2
                  : text[0] >= 0xE0 && text[0] <= 0xEF ? 3
                  : text[0] >= 0xF0 && text[0] <= 0xF4 ? 4
                                                       : 0;
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    }
    if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
        (text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F))
        return 0;
    return size;
}

static const char *replacement(unsigned char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
    case '\n':
        return NULL;
    default:
        return byte < 0x20 || byte == 0x7F ? REPLACEMENT : NULL;
    }
}

void html_text(struct buf *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        size_t size = sequence(at);
        const char *other = size == 1 ? replacement(*at) : size == 0 ? REPLACEMENT : NULL;
        if (other)
            buf_text(out, other);
        else
            buf_append(out, at, size);
        at += size ? size : 1;
    }
}

void html_printf(struct buf *out, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    if (size < 0)
        abort();
    html_text(out, text);
    free(text);
}

void html_element(struct buf *out, const char *tag, const char *text)
{
    buf_printf(out, "<%s>", tag);
    html_text(out, text);
    buf_printf(out, "</%.*s>", (int)strcspn(tag, " "), tag);
}

void html_section_begin(struct buf *out, const char *id, const char *title)
{
    buf_printf(out, "<section id=\"%s\">\n", id);
    html_element(out, "h2", title);
}

void html_section_end(struct buf *out)
{
    buf_text(out, "</section>\n");
}

void html_scroll_begin(struct buf *out, const char *name)
{
    buf_text(out, "<div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-label=\"");
    html_text(out, name);
    buf_text(out, "\">");
}

void html_scroll_end(struct buf *out)
{
    buf_text(out, "</div>\n");
}

void html_table_begin(struct buf *out, const char *caption, const char *const *columns)
{
    html_scroll_begin(out, columns[0]);
    buf_text(out, "<table>");
    if (caption)
        html_element(out, "caption", caption);
    buf_text(out, "<thead><tr>");
    for (size_t i = 0; columns[i]; i++)
        html_element(out, "th scope=\"col\"", columns[i]);
    buf_text(out, "</tr></thead>\n<tbody>");
}

void html_table_end(struct buf *out)
{
    buf_text(out, "</tbody></table>");
    html_scroll_end(out);
}

void html_row_begin(struct buf *out, const char *name)
{
    buf_text(out, "<tr>");
    html_element(out, "th scope=\"row\"", name);
}

void html_row_cell(struct buf *out, const char *figure)
{
    html_element(out, "td", figure);
}

void html_row_end(struct buf *out)
{
    buf_text(out, "</tr>\n");
}
