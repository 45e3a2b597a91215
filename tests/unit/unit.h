/* The main() of a CUnit program from a table of cases. Exit status 0 or 1, never a count. */
#ifndef WARREN_TESTS_UNIT_H
#define WARREN_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <stddef.h>
#include <stdio.h>

struct unit_case {
    const char *name;
    void (*run)(void);
};

static int unit_run(const char *suite_name, const struct unit_case *cases, size_t count)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; suite && i < count; i++)
        if (!CU_add_test(suite, cases[i].name, cases[i].run))
            suite = NULL;
    int status = 1;
    if (suite) {
        setvbuf(stdout, NULL, _IOLBF, 0); /* what a hang leaves tells where it was */
        CU_basic_set_mode(CU_BRM_VERBOSE);
        CU_basic_run_tests();
        status = CU_get_number_of_failures() > 0 || CU_get_number_of_tests_run() != count;
    }
    CU_cleanup_registry();
    return status;
}

#define UNIT_MAIN(suite_name, cases)                                                               \
    int main(void)                                                                                 \
    {                                                                                              \
        return unit_run(suite_name, cases, sizeof(cases) / sizeof((cases)[0]));                    \
    }

#endif
