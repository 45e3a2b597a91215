#include "load/settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/exit_codes.h"
#include "common/base/options.h"

enum { MS_A_DAY = 86400000, S_A_WEEK = 604800, SHARE_MAX = 1000 };

static const char all_skus[] =
    "CARROT-1KG,LETTUCE,SPADE,BOOTS,UMBRELLA,ALMANAC,BASKET-S,BASKET-L,BURROW-LAMP,CARROT-SEED,"
    "CLOVER-HAY,DANDELION-TEA,GARDEN-FORK,MUFFLER,PARSLEY-POT,TUNNEL-MAP";

/* The command line before it is judged. */
static struct {
    struct settings settings;
    const char *rate, *from, *to, *phases, *skus;
    int64_t duration_s, seed;
    bool poisson, no_audit;
} given = {
    .settings = {.title = "load",
                 .connections = 1024,
                 .timeout_ms = 10000,
                 .settle_s = 60,
                 .customers = 1,
                 .mix = {.lines = 1, .quantity = 3},
                 .again_ms = 200,
                 .patience_s = 60},
    .skus = all_skus,
    .duration_s = 30,
    .seed = 1,
};

#define TO(member) &given.settings.member
static const struct option table[] = {
    SUITE_OPTION_ROWS(&given.settings.where),
    {"url", NULL, OPTION_TEXT, TO(url), "URL",
     "load this server instead of a suite; settled and notified are then not measured", 0, 0},
    {"token", NULL, OPTION_TEXT, TO(token_file), "FILE", "with --url: holds the bearer token", 0,
     0},
    {"rate", NULL, OPTION_TEXT, &given.rate, "R", "orders a second (default 100)", 0, 0},
    {"rate-from", NULL, OPTION_TEXT, &given.from, "R", "the rate goes in a straight line from this",
     0, 0},
    {"rate-to", NULL, OPTION_TEXT, &given.to, "R", "to this", 0, 0},
    {"duration", NULL, OPTION_INT, &given.duration_s, "S", "seconds", 1, S_A_WEEK},
    {"phases", NULL, OPTION_TEXT, &given.phases, "LIST",
     "instead of rate and duration: RATE:SECONDS or FROM-TO:SECONDS, with commas", 0, 0},
    {"poisson", NULL, OPTION_FLAG, &given.poisson, NULL, "arrivals at random distances, not equal",
     0, 0},
    {"seed", NULL, OPTION_INT, &given.seed, "N", "of the schedule and of the baskets", 0, 0},
    {"users", NULL, OPTION_INT, TO(users), "N",
     "closed loop: so many users, each waits for its answer", 1, 100000},
    {"think", NULL, OPTION_INT, TO(think_ms), "MS", "and then this long", 0, MS_A_DAY},
    {"orders", NULL, OPTION_INT, TO(orders), "N", "at most so many; 0: any number", 0, 0},
    {"bound", NULL, OPTION_INT, TO(bound_ms), "MS",
     "find the highest rate of the phases whose p99 to settled is within this", 1, MS_A_DAY},
    {"connections", NULL, OPTION_INT, TO(connections), "N", "at most at once", 1, 30000},
    {"timeout", NULL, OPTION_INT, TO(timeout_ms), "MS", "of a request", 1, MS_A_DAY},
    {"settle", NULL, OPTION_INT, TO(settle_s), "S", "how long orders get to settle", 0, S_A_WEEK},
    {"customers", NULL, OPTION_INT, TO(customers), "N", "who order, in turns", 1, 64},
    {"skus", NULL, OPTION_TEXT, &given.skus, "LIST", "what is ordered, with commas between", 0, 0},
    {"lines", NULL, OPTION_INT, TO(mix.lines), "N", "of an order", 1, 50},
    {"quantity", NULL, OPTION_INT, TO(mix.quantity), "N", "of a line at most", 1, 1000},
    {"hot", NULL, OPTION_INT, TO(mix.hot), "M", "of 1000 orders: begin with the first SKU", 0,
     SHARE_MAX},
    {"declined", NULL, OPTION_INT, TO(mix.declined), "M", "of 1000 orders: the card is declined", 0,
     SHARE_MAX},
    {"flaky", NULL, OPTION_INT, TO(mix.flaky), "M", "of 1000: the provider fails twice", 0,
     SHARE_MAX},
    {"slow", NULL, OPTION_INT, TO(mix.slow), "M", "of 1000: the provider is slow", 0, SHARE_MAX},
    {"no-funds", NULL, OPTION_INT, TO(mix.no_funds), "M", "of 1000: the account is empty", 0,
     SHARE_MAX},
    {"lost-answer", NULL, OPTION_INT, TO(mix.lost_answer), "M",
     "of 1000: the provider charges and does not answer", 0, SHARE_MAX},
    {"cancel", NULL, OPTION_INT, TO(mix.cancel), "M", "of 1000: cancelled once accepted", 0,
     SHARE_MAX},
    {"queries", NULL, OPTION_INT, TO(query_rate), "R", "a second: an order, the list, the products",
     0, 100000},
    {"crowd", NULL, OPTION_FLAG, TO(crowd), NULL,
     "only customers, whom something else judges: no log of facts, no asking for fates", 0, 0},
    {"until-accepted", NULL, OPTION_FLAG, TO(until_accepted), NULL,
     "repeat with the same key what is refused or unknown", 0, 0},
    {"again", NULL, OPTION_INT, TO(again_ms), "MS", "after this pause, longer and longer", 0,
     MS_A_DAY},
    {"patience", NULL, OPTION_INT, TO(patience_s), "S", "and for at most this long", 0, S_A_WEEK},
    {"allow-unknown", NULL, OPTION_FLAG, TO(allow_unknown), NULL,
     "requests without an answer do not fail the run", 0, 0},
    {"out", NULL, OPTION_TEXT, TO(out), "DIR",
     "report.html, summary.json, series as CSV, history.jsonl", 0, 0},
    {"history", NULL, OPTION_TEXT, TO(history), "FILE",
     "every attempt and its answer, for 'warren audit --history' (history.jsonl in --out)", 0, 0},
    {"title", NULL, OPTION_TEXT, TO(title), "TEXT", "of the report", 0, 0},
    {"audit", NULL, OPTION_FLAG, TO(audit), NULL,
     "afterwards run 'warren audit', with --out also "
     "on the history",
     0, 0},
    {"quiet", NULL, OPTION_FLAG, TO(quiet), NULL, "no progress on the terminal", 0, 0},
};
#undef TO

static const struct options options = {
    .program = "warren load",
    .synopsis = "[--rate R] [--duration S] [--phases LIST] [--users N] [--out DIR]",
    .about =
        "Orders at a rate that is fixed in advance, whatever the suite does (open loop); latency\n"
        "counts from the time at which an order was due. With --users a closed loop instead. Ends\n"
        "by asking for the fate of every order. Exits 0 when none is lost, doubled, unsettled or\n"
        "unanswered, 1 when one is, 5 when the suite cannot be reached.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

static _Noreturn void refuse(const struct err *err)
{
    fprintf(stderr, "warren load: %s\nTry 'warren load --help'.\n", err->text);
    exit(CLI_USAGE);
}

static enum result read_plan(struct settings *settings, struct err *err)
{
    char text[128];
    int ways = (given.rate != NULL) + (given.from || given.to) + (given.phases != NULL) +
               (settings->users > 0);
    if (ways > 1)
        return err_set(err, INVALID, "one of --rate, --rate-from and --rate-to, --phases, --users");
    if ((given.from == NULL) != (given.to == NULL))
        return err_set(err, INVALID, "--rate-from and --rate-to go together");
    settings->plan.kind = given.poisson ? SCHEDULE_POISSON : SCHEDULE_EVEN;
    settings->plan.seed = (uint64_t)given.seed;
    settings->closed = settings->users > 0;
    if (given.phases)
        return schedule_parse(given.phases, &settings->plan, err);
    if (given.from)
        snprintf(text, sizeof text, "%.40s-%.40s:%lld", given.from, given.to,
                 (long long)given.duration_s);
    else
        snprintf(text, sizeof text, "%.40s:%lld",
                 settings->closed ? "0"
                 : given.rate     ? given.rate
                                  : "100",
                 (long long)given.duration_s);
    return schedule_parse(text, &settings->plan, err);
}

void settings_read(int argc, char **argv, struct settings *ret_settings)
{
    struct err err = {""};
    struct settings *settings = &given.settings;
    if (options_parse(&options, argc, argv) != argc) {
        err_set(&err, INVALID, "unexpected argument");
        refuse(&err);
    }
    enum result result = read_plan(settings, &err);
    settings->mix.seed = (uint64_t)given.seed;
    if (result == OK)
        result = mix_read_skus(&settings->mix, given.skus, &err);
    if (result == OK)
        result = mix_check(&settings->mix, &err);
    if (result == OK && (settings->url == NULL) != (settings->token_file == NULL))
        result = err_set(&err, INVALID, "--url and --token go together");
    if (result == OK && settings->crowd && (settings->out || settings->audit))
        result = err_set(&err, INVALID, "--crowd measures nothing: no --out, no --audit");
    if (result == OK && settings->url && settings->audit)
        result = err_set(&err, INVALID, "--audit looks into a suite's stores: not with --url");
    if (result != OK)
        refuse(&err);
    *ret_settings = *settings;
}
