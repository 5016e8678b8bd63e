# compiler.mk: how the conversion library and the tables are compiled, and what that needs.
CC ?= cc
# No debug information: it holds line numbers and paths, and _convert would change with every comment and every clone.
CFLAGS ?= -O2
# Trailing columns of a row may be left out, but a value without quotes is an error: the program would crash on it.
# One error of a file is shown, the first: a build of the image keeps only the last lines in view.
WARNINGS := -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wno-missing-field-initializers \
	-Werror=int-conversion -Wfatal-errors $(if $(WERROR),-Werror)
LIBRARIES := netcdf hdf5 libdeflate

# The Debian or Ubuntu packages that are missing.
MISSING := $(strip $(if $(shell command -v $(firstword $(CC))),,gcc) \
	$(if $(shell command -v pkg-config), \
		$(if $(shell pkg-config --exists netcdf && echo y),,libnetcdf-dev) \
		$(if $(shell pkg-config --exists hdf5 && echo y),,libhdf5-dev) \
		$(if $(shell pkg-config --exists libdeflate && echo y),,libdeflate-dev), \
		pkg-config libnetcdf-dev libhdf5-dev libdeflate-dev))
CHECK_PACKAGES = @test -z "$(MISSING)" || \
	{ echo "make: the converter needs these packages: apt-get install $(MISSING)" >&2; exit 1; }
