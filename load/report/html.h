/* The pieces of a page. What comes from outside goes through html_text. */
#ifndef WARREN_LOAD_HTML_H
#define WARREN_LOAD_HTML_H

#include "common/base/buf.h"

/* Escaped for text and for attributes in double quotes. Control characters, which no page may
 * hold, and bytes that are not UTF-8 become U+FFFD. */
void html_text(struct buf *out, const char *text);
void html_printf(struct buf *out, const char *format, ...) PRINTF_LIKE(2, 3);

/* <tag>text</tag>; `tag` may have attributes: "td class=\"n\"". */
void html_element(struct buf *out, const char *tag, const char *text);
/* <section id=...><h2>; `id` is a word. */
void html_section_begin(struct buf *out, const char *id, const char *title);
void html_section_end(struct buf *out);
/* What is wider than a narrow screen scrolls by itself; it can be reached by the keyboard and has a
 * name for those who hear the page. */
void html_scroll_begin(struct buf *out, const char *name);
void html_scroll_end(struct buf *out);
/* A table's head: the columns' names, NULL at the end. The first is text, the others figures. */
void html_table_begin(struct buf *out, const char *caption, const char *const *columns);
void html_table_end(struct buf *out);
void html_row_begin(struct buf *out, const char *name);
void html_row_cell(struct buf *out, const char *figure);
void html_row_end(struct buf *out);

#endif
