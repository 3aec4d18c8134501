/* Read all rows ${way}. */
static void run${end}(struct state *state)
{
    ${variables}
    size_t t;

    for (${loop}) {
${each}    }
${after}}

