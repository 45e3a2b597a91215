/* A call to the payment provider and its answer, both as text: what is read is written and read again as the same. */
#include "payment-service/provider.h"
#include "tests/fuzz/fuzz.h"

static void check_request(const char *text)
{
    struct provider_request request, again;
    struct err err = {""};
    struct buf written = {0}, second = {0};
    enum result result = provider_request_read(text, &request, &err);
    FUZZ_HOLDS((result == OK) == (err.text[0] == '\0'));
    if (result != OK)
        return;
    bind_encode(&provider_request_type, &request, &written);
    FUZZ_HOLDS(provider_request_read(written.data, &again, NULL) == OK);
    bind_encode(&provider_request_type, &again, &second);
    FUZZ_HOLDS(strcmp(written.data, second.data) == 0);
    FUZZ_HOLDS(request.amount >= 0 && request.amount <= AMOUNT_MAX);
    buf_release(&written);
    buf_release(&second);
}

static void check_answer(const char *text)
{
    struct provider_answer answer, again;
    struct err err = {""};
    struct buf written = {0}, second = {0};
    enum result result = provider_answer_read(text, &answer, &err);
    FUZZ_HOLDS((result == OK) == (err.text[0] == '\0'));
    if (result != OK)
        return;
    bind_encode(&provider_answer_type, &answer, &written);
    FUZZ_HOLDS(provider_answer_read(written.data, &again, NULL) == OK);
    bind_encode(&provider_answer_type, &again, &second);
    FUZZ_HOLDS(strcmp(written.data, second.data) == 0);
    buf_release(&written);
    buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    check_request(text);
    check_answer(text);
    free(text);
    return 0;
}
