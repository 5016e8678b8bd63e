/* references.c: attributes that name variables and dimensions.  SPDX-License-Identifier: Apache-2.0
 *
 * The tables rename, move and drop variables: the attributes of the others follow. */
#include "engine.h"

/* How the text is made: "lat lon"; "area: cell_area" (its keys are words of the conventions); "crs: x y" or "crs";
 * "time: lat: mean where land (interval: 1 hour)" (its keys are dimensions or variables). */
enum syntax { NAMES, TERMS, MAPPINGS, METHODS };

static const struct reference { const char *name; enum syntax syntax; } references[] = {
    {"coordinates", NAMES}, {"bounds", NAMES}, {"climatology", NAMES}, {"ancillary_variables", NAMES},
    {"geometry", NAMES}, {"node_coordinates", NAMES}, {"node_count", NAMES}, {"part_node_count", NAMES},
    {"interior_ring", NAMES}, {"cell_measures", TERMS}, {"formula_terms", TERMS}, {"grid_mapping", MAPPINGS},
    {"cell_methods", METHODS},
};

static const char blanks[] = " \t\r\n";

struct token {
    size_t gap;                 /* the blanks before it */
    char *text, *renamed;       /* without its colon; NULL: as before */
    int is_key;                 /* a colon follows */
    int is_aside;               /* between parentheses */
    int is_dropped;
};

struct tokens {
    struct token *list;
    size_t count;
};

static const struct reference *find_reference(const char *name)
{
    for (size_t i = 0; i < ROWS(references); i++)
        if (!strcmp(name, references[i].name))
            return &references[i];
    return NULL;
}

/* ---- Tokens ---- */

static void free_tokens(struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        free(tokens->list[i].text);
        free(tokens->list[i].renamed);
    }
    free(tokens->list);
}

/* Parts the text at its blanks; returns -1 without memory. */
static int split(const char *text, struct tokens *tokens)
{
    int depth = 0;
    tokens->list = calloc(strlen(text) / 2 + 1, sizeof *tokens->list);
    if (!tokens->list)
        return -1;
    for (const char *c = text; ; tokens->count++) {
        size_t gap = strspn(c, blanks), length = strcspn(c + gap, blanks);
        struct token *token = &tokens->list[tokens->count];
        if (length == 0)
            return 0;
        c += gap + length;
        token->gap = gap;
        token->is_key = length > 1 && c[-1] == ':';
        token->text = strndup(c - length, length - (size_t)token->is_key);
        if (!token->text) {
            tokens->count++;
            return -1;
        }
        token->is_aside = depth > 0 || *token->text == '(';
        for (const char *d = token->text; *d; d++)
            depth += (*d == '(') - (*d == ')');
    }
}

/* Joins what is left; returns NULL without memory. */
static char *join_tokens(const char *text, const struct tokens *tokens)
{
    char *joined = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&joined, &size);
    if (!stream)
        return NULL;
    for (size_t i = 0, printed = 0; i < tokens->count; i++) {
        const struct token *token = &tokens->list[i];
        const char *name = token->renamed ? token->renamed : token->text;
        if (!token->is_dropped)
            fprintf(stream, "%.*s%s%s", printed++ ? (int)token->gap : 0, text, name, token->is_key ? ":" : "");
        text += token->gap + strlen(token->text) + (size_t)token->is_key;
    }
    if (fclose(stream) == 0)
        return joined;
    free(joined);
    return NULL;
}

/* ---- What they mean ---- */

struct attribute_text {         /* the attribute that is rewritten */
    struct job *job;
    const struct item *item;
    const char *name;
    int is_tables;              /* its text is the table's, and stays as it is */
};

static void drop(const struct attribute_text *attribute, struct token *token)
{
    token->is_dropped = 1;
    tell(attribute->job, NOTED, attribute->item->path, attribute->name,
         "it no longer names '%s', which is no variable of the product", token->text);
}

/* Gives the token the name that its variable has in the product. */
static int follow_variable(const struct attribute_text *attribute, struct token *token)
{
    if (attribute->is_tables) {
        if (!is_in_output(attribute->job, attribute->item, token->text))
            tell(attribute->job, NOTED, attribute->item->path, attribute->name,
                 "the table names '%s', which is no variable of the product", token->text);
        return 0;
    }
    const struct item *target = meant_in_input(attribute->job, attribute->item, token->text);
    if (!target)
        return 0;               /* the input itself has nothing of that name */
    const char *name = target == &gone ? NULL
        : name_in_output(attribute->job, attribute->item, target, token->text);
    if (!name || strpbrk(name, blanks))
        drop(attribute, token);
    else if (strcmp(name, token->text) && !(token->renamed = strdup(name)))
        return out_of_memory(attribute->job);
    return 0;
}

/* Gives the token the name that the axis has in the product, if it names one. */
static int follow_axis(const struct attribute_text *attribute, struct token *token)
{
    const struct item *item = attribute->item;
    for (int i = 0; item->axis_names && i < item->rank; i++) {
        const char *name = attribute->job->dims[item->dim[i]].name;
        if (!item->axis_names[i] || strcmp(item->axis_names[i], token->text))
            continue;
        if (strcmp(name, token->text) && !(token->renamed = strdup(name)))
            return out_of_memory(attribute->job);
        return 1;
    }
    return 0;
}

/* ---- One syntax each ---- */

/* How many tokens from `i` on belong to the key there. */
static size_t after_key(const struct tokens *tokens, size_t i)
{
    size_t end = i + 1;
    while (end < tokens->count && (!tokens->list[end].is_key || tokens->list[end].is_aside))
        end++;
    return end - i;
}

static size_t count_left(const struct token *list, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        left += !list[i].is_dropped;
    return left;
}

static void drop_all(struct token *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        list[i].is_dropped = 1;
}

/* A key goes with its last value, and in grid_mapping the values with their key. */
static int follow_pairs(const struct attribute_text *attribute, struct tokens *tokens, int is_key_variable)
{
    for (size_t i = 0, count; i < tokens->count; i += count) {
        struct token *list = &tokens->list[i];
        count = list->is_key ? after_key(tokens, i) : 1;
        for (size_t k = 0; k < count; k++)
            if ((!list[k].is_key || is_key_variable) && follow_variable(attribute, &list[k]) < 0)
                return -1;
        if (list->is_key && count > 1 && (list->is_dropped || count_left(list + 1, count - 1) == 0))
            drop_all(list, count);
    }
    return 0;
}

/* "where" and "over" stand before an area type, or before a variable that holds some; both go with it. */
static int follow_areas(const struct attribute_text *attribute, struct token *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const char *before = list[i - 1].text;
        if (list[i].is_aside || (strcmp(before, "where") && strcmp(before, "over")))
            continue;
        if (follow_variable(attribute, &list[i]) < 0)
            return -1;
        list[i - 1].is_dropped |= list[i].is_dropped;
    }
    return 0;
}

/* The name of a method is that of an axis or of a scalar variable, else a standard name, or "area". */
static int follow_method_name(const struct attribute_text *attribute, struct token *token)
{
    int is_axis = follow_axis(attribute, token);
    if (is_axis || !strcmp(token->text, "area"))
        return is_axis < 0 ? -1 : 0;
    const struct item *target = meant_in_input(attribute->job, attribute->item, token->text);
    return !target || target->rank > 0 ? 0 : follow_variable(attribute, token);
}

/* A method goes with the last of its names. */
static int follow_methods(const struct attribute_text *attribute, struct tokens *tokens)
{
    for (size_t i = 0, names; i < tokens->count; ) {
        struct token *list = &tokens->list[i];
        for (names = 0; i + names < tokens->count && list[names].is_key && !list[names].is_aside; names++)
            if (follow_method_name(attribute, &list[names]) < 0)
                return -1;
        size_t count = names > 0 ? names - 1 + after_key(tokens, i + names - 1) : 1;
        if (follow_areas(attribute, list, count) < 0)
            return -1;
        if (names > 0 && count_left(list, names) == 0)
            drop_all(list, count);
        i += count;
    }
    return 0;
}

static int follow(const struct attribute_text *attribute, struct tokens *tokens, enum syntax syntax)
{
    if (syntax == METHODS)
        return follow_methods(attribute, tokens);
    if (syntax != NAMES)
        return follow_pairs(attribute, tokens, syntax == MAPPINGS);
    for (size_t i = 0; i < tokens->count; i++)
        if (follow_variable(attribute, &tokens->list[i]) < 0)
            return -1;
    return 0;
}

static int is_changed(const struct tokens *tokens)
{
    int answer = 0;
    for (size_t i = 0; i < tokens->count; i++)
        answer |= tokens->list[i].is_dropped || tokens->list[i].renamed;
    return answer;
}

/* The text of an attribute of the input with the names that the product has: `text` itself where nothing differs, or a
 * copy, which is empty where nothing is left to name; NULL without memory. */
char *follow_names(struct job *job, const struct item *item, const char *name, char *text)
{
    const struct reference *reference = item->is_variable ? find_reference(name) : NULL;
    struct attribute_text attribute = {job, item, name, 0};
    struct tokens tokens = {NULL, 0};
    char *copy = text;
    if (!reference)
        return text;
    if (split(text, &tokens) < 0 || follow(&attribute, &tokens, reference->syntax) < 0)
        copy = NULL;
    else if (is_changed(&tokens))
        copy = join_tokens(text, &tokens);
    if (copy && copy != text && *copy)
        tell(job, job->tables->variable_count > 0 ? ASKED : NOTED, item->path, name, "it follows the new names: '%s'",
             copy);
    free_tokens(&tokens);
    return copy ? copy : (out_of_memory(job), NULL);
}

/* Tells of what an attribute of the table names that the product does not have.  In cell_methods that may be more than
 * variables. */
void tell_dangling(struct job *job, const struct item *item, const char *name, const char *text)
{
    const struct reference *reference = item->is_variable ? find_reference(name) : NULL;
    struct attribute_text attribute = {job, item, name, 1};
    struct tokens tokens = {NULL, 0};
    if (!reference || reference->syntax == METHODS)
        return;
    if (split(text, &tokens) < 0)
        out_of_memory(job);
    else
        follow(&attribute, &tokens, reference->syntax);
    free_tokens(&tokens);
}
