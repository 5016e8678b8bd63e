# convert.mk: how a table becomes ../_convert; included by a repository's convert/Makefile and by the library's own.
CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS := -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wno-missing-field-initializers \
	-Werror=int-conversion -Wfatal-errors $(if $(WERROR),-Werror)
LIBRARIES := netcdf hdf5 libdeflate
HDF5 := $(shell pkg-config --libs hdf5 2>/dev/null)
STATIC_HDF5 := $(firstword $(wildcard $(addsuffix /libhdf5.a,$(patsubst -L%,%,$(filter -L%,$(HDF5))))))
FOR_S3 = $(if $(STATIC_HDF5),$(sort $(shell nm --undefined-only --format=just-symbols $(STATIC_HDF5) 2>/dev/null | \
	grep -E '^(curl_|EVP_|HMAC|SHA256|OPENSSL_|CRYPTO_)')))
LINK = -Wl,--as-needed $(FOR_S3:%=-Wl,--defsym=%=0) $(if $(STATIC_HDF5),$(STATIC_HDF5) -lsz -lz -lm,$(HDF5)) \
	$(shell pkg-config --libs libdeflate 2>/dev/null) -ldl -pthread
NETCDF := $(notdir $(realpath $(shell $(CC) -print-file-name=libnetcdf.so 2>/dev/null)))
CONVERT_PREFIX ?= $(patsubst %/share/cumulus/,%,$(dir $(lastword $(MAKEFILE_LIST))))
MISSING := $(strip $(if $(shell command -v $(firstword $(CC))),,gcc) \
	$(if $(shell command -v pkg-config), \
		$(if $(shell pkg-config --exists netcdf && echo y),,libnetcdf-dev) \
		$(if $(shell pkg-config --exists hdf5 && echo y),,libhdf5-dev) \
		$(if $(shell pkg-config --exists libdeflate && echo y),,libdeflate-dev), \
		pkg-config libnetcdf-dev libhdf5-dev libdeflate-dev))

../_convert: $(wildcard *.c *.h) $(CONVERT_PREFIX)/lib/libcumulus-convert.a
	@test -z "$(MISSING)" || { echo "make: the converter needs these packages: apt-get install $(MISSING)" >&2; exit 1; }
	@test -w .. || { echo "make: cannot write to $(abspath ..): work in a copy of your own" >&2; exit 1; }
	$(CC) $(CFLAGS) $(WARNINGS) -ffile-prefix-map=$(CURDIR)=convert -ffile-prefix-map=$(CONVERT_PREFIX)=cumulus -I$(CONVERT_PREFIX)/include -o $@.part $(filter %.c %.a,$^) $(LDFLAGS) $(LINK)
	@mv $@.part $@
