#include "tests/unit/heads.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HOST "Host: x\r\n"
#define WHO HOST "Authorization: Bearer @\r\n"
#define JSON "Content-Type: application/json\r\n"
#define ORDER                                                                                      \
    "{\"lines\":[{\"sku\":\"MUG-1\",\"quantity\":1}],\"payment\":{\"token\":\"tok_visa\"}}"
#define LENGTH "Content-Length: 71\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define CHUNKS "47\r\n" ORDER "\r\n0\r\n\r\n"
#define LIVEZ "GET /livez HTTP/1.1\r\n" HOST "\r\n"
#define GET(fields) "GET /livez HTTP/1.1\r\n" HOST fields "\r\n"
#define POST(fields, body) "POST /v1/orders HTTP/1.1\r\n" WHO JSON fields "\r\n" body
#define LINE(line) line "\r\n" HOST "\r\n"

#define X10(text) text text text text text text text text text text
#define X100(text) X10(X10(text))
#define X17K X10(X100("aaaaaaaaaaaaaaaaa"))

#define REFUSED(status, what, bytes)                                                               \
    {                                                                                              \
        what, bytes, sizeof(bytes) - 1, status, status                                             \
    }
#define TAKEN(status, what, bytes)                                                                 \
    {                                                                                              \
        what, bytes, sizeof(bytes) - 1, 0, status                                                  \
    }

const struct head_case head_cases[] = {
    /* Where does the body end? The request in the body must not be one. */
    REFUSED(400, "space before the colon of a length", POST("Content-Length : 71\r\n", ORDER)),
    REFUSED(400, "space before the colon, smuggling", GET("Content-Length : 37\r\n") LIVEZ),
    REFUSED(400, "tab before the colon of a length", GET("Content-Length\t: 37\r\n") LIVEZ),
    REFUSED(400, "folded coding", POST("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n" LIVEZ)),
    REFUSED(400, "folded length", GET("Content-Length:\r\n 37\r\n") LIVEZ),
    REFUSED(400, "length folded with a tab", GET("Content-Length:\r\n\t37\r\n") LIVEZ),
    REFUSED(400, "NUL in a length", GET("Content-Length: 0\0 37\r\n") LIVEZ),
    REFUSED(400, "bare CR before a coding",
            POST("X-A: a\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n" LIVEZ)),
    REFUSED(400, "bare LF smuggles a length in", GET("X-A: a\nContent-Length: 37\r\n") LIVEZ),
    REFUSED(400, "bare LF at the end of a length", GET("Content-Length: 37\n") LIVEZ),
    REFUSED(400, "bare LF ends the head", "GET /livez HTTP/1.1\r\n" HOST "\n"),
    REFUSED(400, "bare LFs only", "GET /livez HTTP/1.1\nHost: x\n\n"),
    REFUSED(400, "CR CR LF", "GET /livez HTTP/1.1\r\r\n" HOST "\r\n"),
    REFUSED(400, "length and coding", POST(LENGTH CHUNKED, CHUNKS LIVEZ)),
    REFUSED(400, "coding and length", POST(CHUNKED LENGTH, "0\r\n\r\n" LIVEZ)),
    REFUSED(400, "coding and length 0", POST(CHUNKED "Content-Length: 0\r\n", "0\r\n\r\n" LIVEZ)),
    REFUSED(400, "the same length twice", POST(LENGTH LENGTH, ORDER)),
    REFUSED(400, "two lengths", POST(LENGTH "Content-Length: 3\r\n", ORDER)),
    REFUSED(400, "lengths in a list", POST("Content-Length: 71, 71\r\n", ORDER)),
    REFUSED(400, "negative length", POST("Content-Length: -1\r\n", ORDER)),
    REFUSED(400, "length with a sign", POST("Content-Length: +71\r\n", ORDER)),
    REFUSED(400, "length in hexadecimal", POST("Content-Length: 0x47\r\n", ORDER)),
    REFUSED(400, "length and more", POST("Content-Length: 71 x\r\n", ORDER)),
    REFUSED(400, "empty length", POST("Content-Length: \r\n", ORDER)),
    REFUSED(413, "length over 64 bits", POST("Content-Length: 18446744073709551687\r\n", ORDER)),
    REFUSED(413, "length of 63 bits", POST("Content-Length: 9223372036854775807\r\n", ORDER)),
    REFUSED(413, "length over what is read", POST("Content-Length: 1048577\r\n", ORDER)),
    REFUSED(400, "another coding", POST("Transfer-Encoding: gzip, chunked\r\n", CHUNKS)),
    REFUSED(400, "unknown coding", POST("Transfer-Encoding: x\r\n", "0\r\n\r\n" LIVEZ)),
    REFUSED(400, "identity", POST("Transfer-Encoding: identity\r\n", ORDER)),
    REFUSED(400, "two codings", POST(CHUNKED "Transfer-Encoding: identity\r\n", "0\r\n\r\n" LIVEZ)),
    REFUSED(400, "vertical tab before a coding",
            POST("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n" LIVEZ)),
    REFUSED(400, "chunks in HTTP/1.0",
            "POST /v1/orders HTTP/1.0\r\n" WHO JSON CHUNKED "\r\n" CHUNKS),
    /* Chunks */
    REFUSED(413, "chunk size over 64 bits", POST(CHUNKED, "10000000000000047\r\n" ORDER)),
    REFUSED(413, "chunk size of 64 bits", POST(CHUNKED, "FFFFFFFFFFFFFFFF\r\n" ORDER)),
    REFUSED(413, "chunk over what is read", POST(CHUNKED, "100001\r\n" ORDER)),
    REFUSED(400, "negative chunk size", POST(CHUNKED, "-1\r\n" ORDER "\r\n0\r\n\r\n")),
    REFUSED(400, "no chunk size", POST(CHUNKED, "\r\n" ORDER "\r\n0\r\n\r\n")),
    REFUSED(400, "chunk size that is none", POST(CHUNKED, "zz\r\n" ORDER "\r\n0\r\n\r\n")),
    REFUSED(400, "chunk size with 0x", POST(CHUNKED, "0x47\r\n" ORDER "\r\n0\r\n\r\n")),
    REFUSED(400, "chunk longer than its size", POST(CHUNKED, "5\r\n" ORDER "\r\n0\r\n\r\n")),
    REFUSED(400, "bare LF behind a chunk size", POST(CHUNKED, "47\n" ORDER "\r\n0\r\n\r\n")),
    REFUSED(400, "bare LF behind a chunk", POST(CHUNKED, "47\r\n" ORDER "\n0\r\n\r\n")),
    REFUSED(400, "NUL in an extension", POST(CHUNKED, "47;a\0b\r\n" ORDER "\r\n0\r\n\r\n")),
    REFUSED(400, "extension of 9 KB",
            POST(CHUNKED, "2;" X10(X10(X10("fffffffff"))) "\r\n{}\r\n0\r\n\r\n")),
    REFUSED(400, "extension of 9 KB, by nobody",
            "POST /v1/orders HTTP/1.1\r\n" HOST JSON CHUNKED
            "\r\n2;" X10(X10(X10("fffffffff"))) "\r\n{}\r\n0\r\n\r\n"),
    REFUSED(400, "folded trailer", POST(CHUNKED, "47\r\n" ORDER "\r\n0\r\nX: a\r\n b\r\n\r\n")),
    REFUSED(400, "trailer without a colon", POST(CHUNKED, "47\r\n" ORDER "\r\n0\r\nX\r\n\r\n")),
    REFUSED(400, "bare LF in a trailer", POST(CHUNKED, "47\r\n" ORDER "\r\n0\r\nX: a\n\r\n")),
    REFUSED(431, "endless trailers",
            POST(CHUNKED, "47\r\n" ORDER "\r\n0\r\n" X100("X: abcdefgh\r\n") "\r\n")),
    /* The first line */
    REFUSED(400, "no Host", "GET /livez HTTP/1.1\r\n\r\n"),
    REFUSED(400, "two Hosts", GET("Host: y\r\n")),
    REFUSED(400, "Host with a space", "GET /livez HTTP/1.1\r\nHost: x y\r\n\r\n"),
    REFUSED(400, "Host with a path", "GET /livez HTTP/1.1\r\nHost: x/y\r\n\r\n"),
    REFUSED(400, "a method alone", "GET\r\n\r\n"),
    REFUSED(400, "no version", LINE("GET /livez")),
    REFUSED(400, "two spaces", LINE("GET  /livez HTTP/1.1")),
    REFUSED(400, "two spaces before the version", LINE("GET /livez  HTTP/1.1")),
    REFUSED(400, "tabs", LINE("GET\t/livez\tHTTP/1.1")),
    REFUSED(400, "a space first", LINE(" GET /livez HTTP/1.1")),
    REFUSED(400, "a space last", LINE("GET /livez HTTP/1.1 ")),
    REFUSED(400, "a word behind the version", LINE("GET /livez HTTP/1.1 x")),
    REFUSED(400, "a space in the target", LINE("GET /li vez HTTP/1.1")),
    REFUSED(400, "NUL in the target", LINE("GET /v1/products\0/secret HTTP/1.1")),
    REFUSED(400, "high bytes in the target", LINE("GET /liv\xc3\xa9z HTTP/1.1")),
    REFUSED(400, "a method that is no token", LINE("GE(T /livez HTTP/1.1")),
    REFUSED(400, "small letters in the version", LINE("GET /livez http/1.1")),
    REFUSED(400, "a version of three", LINE("GET /livez HTTP/1.10")),
    REFUSED(505, "HTTP/0.9", LINE("GET /livez HTTP/0.9")),
    REFUSED(505, "HTTP/9.9", LINE("GET /livez HTTP/9.9")),
    REFUSED(505, "HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
    REFUSED(400, "TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x12\x34\x56\x78\x9a"),
    REFUSED(400, "two empty lines first", "\r\n\r\n" LIVEZ),
    REFUSED(400, "a path without its slash", LINE("GET livez HTTP/1.1")),
    REFUSED(400, "a host alone", LINE("GET shop:80 HTTP/1.1")),
    REFUSED(400, "another scheme", LINE("GET ftp://shop/livez HTTP/1.1")),
    REFUSED(400, "no host in the absolute form", LINE("GET http:///livez HTTP/1.1")),
    REFUSED(400, "a host that is none", LINE("GET http://sh{p/livez HTTP/1.1")),
    REFUSED(400, "a star for GET", LINE("GET * HTTP/1.1")),
    REFUSED(400, "a star and more", LINE("OPTIONS *a HTTP/1.1")),
    REFUSED(414, "a long target", "GET /" X10(X100("aaaaaaaaa")) " HTTP/1.1\r\n" HOST "\r\n"),
    REFUSED(414, "200 parameters",
            "GET /v1/products?" X100("a=b&a=b&") " HTTP/1.1\r\n" HOST "\r\n"),
    REFUSED(414, "3,000 empty parameters",
            "GET /livez?" X10(X100("&&&")) " HTTP/1.1\r\n" HOST "\r\n"),
    /* Fields */
    REFUSED(400, "folded key", POST("Idempotency-Key:\r\n one\r\n" LENGTH, ORDER)),
    REFUSED(400, "key folded behind its value",
            POST("Idempotency-Key: one\r\n two\r\n" LENGTH, ORDER)),
    REFUSED(400, "NUL in a key", POST("Idempotency-Key: a\0one\r\n" LENGTH, ORDER)),
    REFUSED(400, "a folded line first", "GET /livez HTTP/1.1\r\n X: y\r\n" HOST "\r\n"),
    REFUSED(400, "two keys", POST("Idempotency-Key: a\r\nidempotency-key: a\r\n" LENGTH, ORDER)),
    REFUSED(400, "two tokens", POST("Authorization: Bearer none\r\n" LENGTH, ORDER)),
    REFUSED(400, "two types", POST(JSON LENGTH, ORDER)),
    REFUSED(400, "two expectations", GET("Expect: 100-continue\r\nExpect: 100-continue\r\n")),
    REFUSED(400, "two traceparents", GET("traceparent: a\r\ntraceparent: b\r\n")),
    REFUSED(417, "another expectation", POST("Expect: a-miracle\r\n" LENGTH, ORDER)),
    REFUSED(400, "no colon", GET("no colon here\r\n")),
    REFUSED(400, "no name", GET(": b\r\n")),
    REFUSED(400, "a name that is no token", GET("X(A): b\r\n")),
    REFUSED(400, "a name with high bytes", GET("X\xc3\xa9: b\r\n")),
    REFUSED(400, "NUL in a name", GET("Content-Length\0X: 37\r\n")),
    REFUSED(400, "NUL in a value", GET("A: b\0c\r\n")),
    REFUSED(400, "DEL in a value", GET("A: b\x7f\r\n")),
    REFUSED(400, "a control in a value", GET("A: b\x01\r\n")),
    REFUSED(431, "a field of 17 KB", GET("A: " X17K "\r\n")),
    REFUSED(431, "a name of 17 KB", GET(X17K ": b\r\n")),
    REFUSED(431, "cookies of 17 KB", GET("Cookie: " X17K "\r\n")),
    REFUSED(431, "fields of 17 KB", GET(X10(X100("Cookie: abcde=f\r\n")))),
    REFUSED(431, "a token of 9 KB", GET("Authorization: Bearer " X10(X100("aaaaaaaaa")) "\r\n")),
    REFUSED(431, "100 preferences", GET(X100("Prefer: a\r\n"))),
    /* Good ones */
    TAKEN(200, "plain", LIVEZ),
    TAKEN(200, "an empty line first", "\r\n" LIVEZ),
    TAKEN(200, "a later HTTP/1", LINE("GET /livez HTTP/1.2")),
    TAKEN(200, "an empty Host", "GET /livez HTTP/1.1\r\nHost:\r\n\r\n"),
    TAKEN(200, "Host with a port", "GET /livez HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"),
    TAKEN(200, "as curl", GET("User-Agent: curl/7.88.1\r\nAccept: */*\r\n")),
    TAKEN(200, "empty values", GET("A:\r\nB: \r\nC: \t \r\n")),
    TAKEN(200, "high bytes in a value", GET("A: caf\xc3\xa9 \xff\r\n")),
    TAKEN(200, "an odd name", GET("!#$%&'*+-.^_`|~1: b\r\n")),
    TAKEN(200, "a field twice that nobody reads", GET("Via: a\r\nVia: b\r\n")),
    TAKEN(200, "30 parameters", LINE("GET /livez?" X10("a=b&a=b&a=b&") "x HTTP/1.1")),
    TAKEN(200, "1,000 fields", GET(X10(X100("A: b\r\n")))),
    TAKEN(200, "a value of 15 KB", GET("A: " X10(X100("aaaaaaaaaaaaaaa")) "\r\n")),
    TAKEN(200, "a name of 15 KB", GET(X10(X100("aaaaaaaaaaaaaaa")) ": b\r\n")),
    TAKEN(202, "an order behind 15 KB of cookies",
          POST("Cookie: " X10(X100("abc=def;a=b; ;;")) "\r\nCookie: a\r\n" LENGTH "Cookie: b\r\n",
               ORDER)),
    TAKEN(202, "two Prefers", POST("Prefer: wait=0\r\nPrefer: wait=2\r\n" LENGTH, ORDER)),
    TAKEN(200, "a query of 6 KB", LINE("GET /livez?a=" X10(X100("aaaaaa")) " HTTP/1.1")),
    TAKEN(200, "cookies", GET("Cookie: " X10("abc=def; ") "x=" X100("aaaaaaaaaa") "\r\n")),
    TAKEN(200, "length 0", GET("Content-Length: 0\r\n")),
    TAKEN(200, "the absolute form", LINE("GET http://127.0.0.1:1/livez HTTP/1.1")),
    TAKEN(200, "the absolute form of https", LINE("GET HTTPS://[::1]/livez?a=b HTTP/1.1")),
    TAKEN(200, "the absolute form without a path", LINE("GET http://shop HTTP/1.1")),
    TAKEN(200, "the absolute form of a query", LINE("GET http://shop?a=/b HTTP/1.1")),
    TAKEN(204, "the absolute form of no path", LINE("OPTIONS http://shop:80 HTTP/1.1")),
    TAKEN(204, "the absolute form of the root", LINE("OPTIONS http://shop:80/ HTTP/1.1")),
    TAKEN(404, "an address in a path", LINE("GET /http://shop/livez HTTP/1.1")),
    TAKEN(200, "the root", LINE("GET / HTTP/1.1")),
    TAKEN(204, "the root's methods", LINE("OPTIONS / HTTP/1.1")),
    TAKEN(204, "no path at all", LINE("OPTIONS * HTTP/1.1")),
    TAKEN(405, "a method in small letters", LINE("get /livez HTTP/1.1")),
    TAKEN(404, "CONNECT", LINE("CONNECT 127.0.0.1:22 HTTP/1.1")),
    TAKEN(401, "a hidden slash", LINE("GET /v1/orders/..%2f..%2flivez HTTP/1.1")),
    TAKEN(404, "another hidden slash", LINE("GET /v1%2Forders HTTP/1.1")),
    TAKEN(404, "dots", LINE("GET /v1/../livez HTTP/1.1")),
    TAKEN(404, "a hidden NUL", LINE("GET /livez%00 HTTP/1.1")),
    TAKEN(404, "a hidden line", LINE("GET /livez%0d%0aX:%20y HTTP/1.1")),
    TAKEN(404, "two slashes", LINE("GET //livez HTTP/1.1")),
    TAKEN(202, "an order", POST(LENGTH, ORDER)),
    TAKEN(202, "zeros before a length", POST("Content-Length: 000071\r\n", ORDER)),
    TAKEN(202, "white space around values",
          "POST /v1/orders HTTP/1.1\r\nHost:x \r\nAuthorization:\t bEARER @ \t\r\n"
          "Content-Type:application/json\t\r\nContent-Length: \t71 \r\n"
          "Prefer:  respond-async \r\n\r\n" ORDER),
    TAKEN(202, "names in other letters",
          "POST /v1/orders HTTP/1.1\r\nHOST: x\r\nauthorization: Bearer @\r\n"
          "CONTENT-TYPE: Application/JSON; charset=utf-8\r\ncontent-LENGTH: 71\r\n\r\n" ORDER),
    TAKEN(202, "a chunk", POST(CHUNKED, CHUNKS)),
    TAKEN(202, "Chunked", POST("Transfer-Encoding: Chunked \r\n", CHUNKS)),
    TAKEN(202, "two chunks",
          POST(CHUNKED,
               "1\r\n{\r\n046\r\n\"lines\":[{\"sku\":\"MUG-1\",\"quantity\":1}],\"payment\":{"
               "\"token\":\"tok_visa\"}}\r\n00\r\n\r\n")),
    TAKEN(202, "an extension", POST(CHUNKED, "47;a=\"b;c\"\r\n" ORDER "\r\n0;x\r\n\r\n")),
    TAKEN(202, "an extension behind white space",
          POST(CHUNKED, "47 \t; a\r\n" ORDER "\r\n0\r\n\r\n")),
    TAKEN(202, "trailers", POST(CHUNKED, "47\r\n" ORDER "\r\n0\r\nX: a\r\nY:\r\n\r\n")),
    TAKEN(401, "nobody's order", "POST /v1/orders HTTP/1.1\r\n" HOST JSON LENGTH "\r\n" ORDER),
    TAKEN(415, "another type", "POST /v1/orders HTTP/1.1\r\n" WHO LENGTH "\r\n" ORDER),
};
const size_t head_case_count = sizeof head_cases / sizeof head_cases[0];

size_t head_case_write(const struct head_case *one, const char *token, char *out)
{
    size_t size = 0;
    size_t length = strlen(token);
    for (size_t i = 0; i < one->size; i++) {
        bool hole = one->bytes[i] == '@';
        if (size + (hole ? length : 1) > HEAD_CASE_MAX)
            abort();
        memcpy(out + size, hole ? token : one->bytes + i, hole ? length : 1);
        size += hole ? length : 1;
    }
    return size;
}
