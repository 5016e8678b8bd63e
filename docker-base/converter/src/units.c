/* units.c: whether the table's units contradict those of the file.  SPDX-License-Identifier: Apache-2.0
 *
 * The converter never changes values. Units in the table that replace others of the file make every reader scale the
 * values wrongly, without an error. Only what is certain counts: two known units of the same quantity. Another spelling
 * of one unit, a direction that the file leaves out, and units that are not listed here are the owner's business. */
#include "engine.h"

#include <strings.h>

/* A unit may be of several quantities: degrees_south contradicts degrees_north, neither contradicts degrees. */
static const struct unit { const char *quantity, *spellings; } units[] = {
    {"angle", ",degree,degrees,deg,degree_north,degrees_north,degree_n,degrees_n,degreen,degreesn,degree_east,"
              "degrees_east,degree_e,degrees_e,degreee,degreese,degree_south,degrees_south,degree_s,degrees_s,"
              "degree_west,degrees_west,degree_w,degrees_w,"},
    {"angle", ",rad,radian,radians,"},
    {"angle", ",mrad,milliradian,milliradians,"},
    {"angle", ",arcmin,arcminute,arcminutes,arc_minute,arc_minutes,"},
    {"angle", ",arcsec,arcsecond,arcseconds,arc_second,arc_seconds,"},
    {"latitude", ",degree_north,degrees_north,degree_n,degrees_n,degreen,degreesn,"},
    {"latitude", ",degree_south,degrees_south,degree_s,degrees_s,"},
    {"longitude", ",degree_east,degrees_east,degree_e,degrees_e,degreee,degreese,"},
    {"longitude", ",degree_west,degrees_west,degree_w,degrees_w,"},
    {"time", ",d,day,days,"},
    {"time", ",h,hr,hrs,hour,hours,"},
    {"time", ",min,mins,minute,minutes,"},
    {"time", ",s,sec,secs,second,seconds,"},
    {"time", ",ms,msec,msecs,millisec,millisecond,milliseconds,"},
    {"time", ",us,microsec,microsecond,microseconds,"},
    {"time", ",ns,nanosec,nanosecond,nanoseconds,"},
    {"length", ",km,kilometer,kilometers,kilometre,kilometres,"},
    {"length", ",m,meter,meters,metre,metres,"},
    {"length", ",cm,centimeter,centimeters,centimetre,centimetres,"},
    {"length", ",mm,millimeter,millimeters,millimetre,millimetres,"},
    {"length", ",um,micron,microns,micrometer,micrometers,micrometre,micrometres,"},
    {"length", ",nm,nanometer,nanometers,nanometre,nanometres,"},
    {"length", ",ft,foot,feet,"},
    {"pressure", ",Pa,pascal,pascals,"},
    {"pressure", ",hPa,mb,mbar,mbars,millibar,millibars,hectopascal,hectopascals,"},
    {"pressure", ",kPa,kilopascal,kilopascals,"},
    {"temperature", ",K,kelvin,"},
    {"temperature", ",degC,deg_C,degree_C,degrees_C,celsius,degree_celsius,degrees_celsius,degreesC,"},
    {"temperature", ",degF,deg_F,degree_F,degrees_F,fahrenheit,degree_fahrenheit,degrees_fahrenheit,"},
    {"speed", ",m/s,m s-1,m s^-1,m s**-1,meter/second,meters/second,meters per second,"},
    {"speed", ",km/h,km h-1,km/hr,"},
    {"speed", ",kt,kts,knot,knots,"},
};

/* Whether a list of spellings, with commas around each, has this one: symbols to the letter, words in any case. */
static int is_spelled(const char *list, const char *text, size_t length)
{
    int is_symbol = length < 4;
    for (const char *start = list + 1; *start; start += strcspn(start, ",") + 1)
        if (strcspn(start, ",") == length && !(is_symbol ? strncmp : strncasecmp)(start, text, length))
            return 1;
    return 0;
}

/* The length of the unit in `text` without blanks around it, and without the moment from which times count. */
static size_t unit_length(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (!strncasecmp(text + i, " since ", 7))
            length = i;
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return length;
}

/* Whether two texts are certain to be different units of one quantity. */
static int are_different(const char *a, const char *b)
{
    size_t a_length = unit_length(a += strspn(a, " ")), b_length = unit_length(b += strspn(b, " "));
    for (size_t i = 0; i < ROWS(units); i++)
        for (size_t j = 0; is_spelled(units[i].spellings, a, a_length) && j < ROWS(units); j++)
            if (i != j && !strcmp(units[i].quantity, units[j].quantity)
                && is_spelled(units[j].spellings, b, b_length))
                return 1;
    return 0;
}

/* The input's own units of a variable, to be freed, or NULL. */
static char *own_units(struct job *job, const struct item *item)
{
    size_t length;
    int marks = 0;
    if (item->is_field)         /* the attributes are those of the whole dataset */
        return NULL;
    return job->classic >= 0 ? classic_text(job, (int)item->address, "units", &length, &marks)
        : attribute_text(item->id, "units");
}

/* Tells of units in the variables' table that replace different ones; the attributes' table does so on purpose. */
void tell_contradiction(struct job *job, const struct item *item)
{
    const char *text = COLUMN(job, item->path, units);
    char *own = *text ? own_units(job, item) : NULL;
    if (own && are_different(text, own)) {
        tell(job, NOTED, item->path, "units", "the table's '%s' replace the file's own '%s', and the values stay as "
             "they are: empty the column, or, if the file is wrong, give the units in the attributes table", text, own);
        job->report->left_out++;
    }
    free(own);
}
