/* The converter of this collection: _convert INPUT.hdf5 OUTPUT_DIR.  This file is yours.
 *
 * Say below what each dataset is called in the product, and what it means.  Datasets that are not named here are
 * converted as they are.  "" leaves a thing as it is in the file; DROP in place of a name leaves the dataset out;
 * "/Data/ATB_*" stands for several.  The engine writes Conventions and history. */
#include "hdf5_to_netcdf.h"

static const struct variable variables[] = {
    /* HDF5 path, NetCDF name, dimensions, units, standard_name, long_name */
    {"/Dec_JDay", "time", "time", "days since 2011-12-31 00:00:00", "time", "time of the profile"},    /* flights of 2012 */
    {"/Bin_Alt", "altitude", "altitude", "m", "altitude", "altitude of the centre of the range bin"},
    {"/Latitude", "latitude", "time", "degrees_north", "latitude", "latitude of the aircraft"},
    {"/Longitude", "longitude", "time", "degrees_east", "longitude", "longitude of the aircraft"},

    {"/ATB_355", "", "time altitude", "km-1 sr-1", "", "attenuated total backscatter at 355 nm"},
    {"/ATB_532", "", "time altitude", "km-1 sr-1", "", "attenuated total backscatter at 532 nm"},
    {"/ATB_1064", "", "time altitude", "km-1 sr-1", "", "attenuated total backscatter at 1064 nm"},
    {"/Depol_Ratio", "", "time altitude", "1", "", "depolarization ratio at 1064 nm"},
    {"/Extinction_*", "", "time altitude", "km-1", "", "extinction coefficient"},
    {"/Mole_Back", "", "wavelength altitude", "km-1 sr-1", "", "molecular backscatter"},
    {"/Pressure", "", "altitude", "hPa", "air_pressure", "air pressure"},
    {"/Temperature", "", "altitude", "K", "air_temperature", "air temperature"},
    {"/RH", "", "altitude", "percent", "relative_humidity", "relative humidity"},

    {"/NumLayers", "", "time", "1", "", "number of layers"},
    {"/Layer_Type", "", "time layer", "1", "", "type of the layer"},
    {"/Layer_Top_Alt", "", "time layer", "m", "", "altitude of the layer's top"},
    {"/Layer_Bot_Alt", "", "time layer", "m", "", "altitude of the layer's bottom"},
    {"/Layer_OD_*", "", "time layer", "1", "", "optical depth of the layer"},

    {"/Plane_Alt", "", "time", "m", "", "altitude of the aircraft"},
    {"/Plane_Heading", "", "time", "degree", "platform_orientation", "heading of the aircraft"},
    {"/Plane_Pitch", "", "time", "degree", "platform_pitch", "pitch of the aircraft"},
    {"/Plane_Roll", "", "time", "degree", "platform_roll", "roll of the aircraft"},
    {"/Solar_Azimuth_Angle", "", "time", "degree", "solar_azimuth_angle", "solar azimuth angle"},
    {"/Solar_Elevation_Angle", "", "time", "degree", "solar_elevation_angle", "solar elevation angle"},
    {"/Frame_Top", "", "time", "m", "", "altitude of the top of the frame"},
    {"/Gnd_Hgt", "", "time", "m", "", "height of the ground above mean sea level"},
    {"/Saturate", "", "time channel", "1", "", "saturated range bins"},
    {"/Hour", "", "time", "1", "", "hour of the day, UTC"},
    {"/Minute", "", "time", "1", "", "minute of the hour"},
    {"/Second", "", "time", "1", "", "second of the minute"},

    {"/Cali_*", "", "", "1", "", "calibration constant"},
    {"/Bin_Width", "", "", "m", "", "width of a range bin"},
    {"/Hori_Res", "", "", "m", "", "horizontal resolution"},
    {"/Start_JDay", "", "", "days since 2011-12-31 00:00:00", "", "start of the granule"},
    {"/End_JDay", "", "", "days since 2011-12-31 00:00:00", "", "end of the granule"},
    {"/Date", "", "", "", "", "date of the flight"},
    {"/Project", "", "", "", "", "name of the project"},
    {"/NumRecs", "", "", "1", "", "number of profiles"},
    {"/NumBins", "", "", "1", "", "number of range bins"},
    {"/NumChans", "", "", "1", "", "number of channels"},
    {"/NumWave", "", "", "1", "", "number of wavelengths"},
    {"/MaxLayers", "", "", "1", "", "largest number of layers"},
};

/* Further attributes: of the whole product ("/"), and of the datasets that match. */
static const struct attribute attributes[] = {
    {"/", "title", "HS3 Cloud Physics Lidar profiles"},
    {"/", "institution", "NASA Goddard Space Flight Center"},
    {"/", "source", "Cloud Physics Lidar (CPL) on the NASA Global Hawk"},
    {"/", "references", "https://cpl.gsfc.nasa.gov/"},
    {"/", "comment", "Converted from the HDF5 granule; values are as delivered"},

    {"/Dec_JDay", "axis", "T"},
    {"/Dec_JDay", "calendar", "standard"},
    {"/Bin_Alt", "axis", "Z"},
    {"/Bin_Alt", "positive", "up"},
    {"/ATB_*", "coordinates", "latitude longitude"},
    {"/Depol_Ratio", "coordinates", "latitude longitude"},
    {"/Extinction_*", "coordinates", "latitude longitude"},
    {"/Layer_*", "coordinates", "latitude longitude"},
};

int main(int argc, char **argv)
{
    const struct tables tables = {variables, ROWS(variables), attributes, ROWS(attributes)};
    return convert_main(argc, argv, &tables);
}
