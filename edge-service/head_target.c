#include "edge-service/head_span.h"

/* clang-format off */
#define T TEXT
#define V (TEXT | VISIBLE)
#define A (TEXT | VISIBLE | AUTHORITY)
#define N (TEXT | VISIBLE | TOKEN)
#define X (TEXT | VISIBLE | TOKEN | AUTHORITY)
#define D (TEXT | VISIBLE | TOKEN | AUTHORITY | DIGIT)
const unsigned char head_classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, T, 0, 0, 0, 0, 0, 0, /* controls, of which the tab is text */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    T, X, V, N, X, X, X, X, A, A, X, X, A, X, X, V, /*   ! " # $ % & ' ( ) * + , - . / */
    D, D, D, D, D, D, D, D, D, D, A, A, V, A, V, V, /* 0 to 9 : ; < = > ? */
    V, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, /* @ A to O */
    X, X, X, X, X, X, X, X, X, X, X, A, V, A, N, X, /* P to Z [ \ ] ^ _ */
    N, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, /* ` a to o */
    X, X, X, X, X, X, X, X, X, X, X, V, N, V, X, 0, /* p to z { | } ~ and DEL */
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
};
#undef T
#undef V
#undef A
#undef N
#undef X
#undef D
/* clang-format on */

static bool begins(struct span span, const char *text)
{
    return span.size >= strlen(text) && strncasecmp(span.at, text, strlen(text)) == 0;
}

/* The host's name in RFC 9112 3.2.2's absolute form, with what stands before it; its size is 0 when
 * it is another form. */
static struct span prefix_of(struct span target)
{
    size_t scheme = begins(target, "http://") ? 7 : begins(target, "https://") ? 8 : 0;
    struct span host = rest_of(target, scheme);
    size_t length = scheme > 0 ? run_of(host, AUTHORITY) : 0;
    return (struct span){target.at, length > 0 ? scheme + length : 0};
}

bool head_target(struct span method, struct span target, struct span *ret_prefix)
{
    struct span prefix = prefix_of(target);
    *ret_prefix = prefix;
    if (*target.at == '/')
        return true;
    if (equals(target, "*"))
        return equals(method, "OPTIONS");
    if (equals(method, "CONNECT"))
        return all_of(target, AUTHORITY);
    return prefix.size > 0 && (prefix.size == target.size || target.at[prefix.size] == '/' ||
                               target.at[prefix.size] == '?');
}
