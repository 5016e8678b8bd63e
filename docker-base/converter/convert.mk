# convert.mk: links a collection's table with the conversion library into ../_convert.
#
# A repository's convert/Makefile sets INTERFACE (the header's interface that it needs) and REMEDY (what to do where the
# header is older), and includes this file.
INTERFACE ?= 1
CONVERT_MK := $(lastword $(MAKEFILE_LIST))
CONVERT_PREFIX := $(patsubst %/share/cumulus/,%,$(dir $(CONVERT_MK)))
include $(dir $(CONVERT_MK))compiler.mk

HEADER := $(CONVERT_PREFIX)/include/hdf5_to_netcdf.h
LIBRARY := $(CONVERT_PREFIX)/lib/libcumulus-convert.a
PROGRAM := ../_convert
ifneq ($(shell test "$(INTERFACE)" -gt "$$(sed -n 's/^.define CONVERT_INTERFACE //p' $(HEADER))" && echo y),)
$(error the conversion library in $(CONVERT_PREFIX) is older than this repository: $(REMEDY))
endif

# Earlier templates rendered an engine beside the table.  A file that is left of it, since its owner edited it, would be
# taken for a table, or for the library's header.
ENGINE := $(wildcard hdf5_to_netcdf.h engine.h) $(shell grep -l '^.include "engine.h"' *.c 2>/dev/null)
ifneq ($(strip $(ENGINE)),)
$(error convert/ holds edited files of an earlier template's engine ($(strip $(ENGINE))): keep that engine whole, or \
	remove them, as the template's CHANGELOG.md says ("The conversion library"))
endif

# HDF5 is linked into the program where its static library is installed: the shared one loads thirty others, which takes
# longer than to convert a small granule.  They serve HDF5 files in S3; the converter reads files (it asks for HDF5's
# own driver), so the functions that HDF5 would call for S3 may be absent.  STATIC_HDF5= links the shared library.
HDF5 := $(shell pkg-config --libs hdf5 2>/dev/null)
STATIC_HDF5 := $(firstword $(wildcard $(addsuffix /libhdf5.a,$(patsubst -L%,%,$(filter -L%,$(HDF5))))))
FOR_S3 = $(if $(STATIC_HDF5),$(sort $(shell nm --undefined-only --format=just-symbols $(STATIC_HDF5) 2>/dev/null | \
	grep -E '^(curl_|EVP_|HMAC|SHA256|OPENSSL_|CRYPTO_)')))
LINK = -Wl,--as-needed $(FOR_S3:%=-Wl,--defsym=%=0) $(if $(STATIC_HDF5),$(STATIC_HDF5) -lsz -lz -lm,$(HDF5)) \
	$(shell pkg-config --libs libdeflate 2>/dev/null) -ldl -pthread

.PHONY: all clean
all: $(PROGRAM)

$(PROGRAM): $(wildcard *.c *.h) Makefile $(CONVERT_MK) $(HEADER) $(LIBRARY)
	$(CHECK_PACKAGES)
	@test -w .. || { echo "make: cannot write to $(abspath ..): work in a copy of your own" >&2; exit 1; }
	$(CC) $(CFLAGS) $(WARNINGS) '-ffile-prefix-map=$(CURDIR)=convert' -I$(CONVERT_PREFIX)/include \
		-o $@.part $(filter %.c,$^) $(LIBRARY) $(LDFLAGS) $(LINK)
	@mv $@.part $@

clean:
	rm -f $(PROGRAM)
