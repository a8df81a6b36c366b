# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Everything stays inside the checkout: two virtual environments and one colcon workspace for each
# ROS distribution. Stamp files remember what is up to date.

SHELL := /bin/bash
PYTHON ?= python3
DISTRO ?= jazzy
DATA ?= ../shared/data
SEED := $(or $(SEED),$(shell echo $$RANDOM))
FACTOR ?= 100

VENV := .venv$(if $(filter-out jazzy,$(DISTRO)),-$(DISTRO))
# What `pip install m2r2_ros` brings to a robot, and nothing else: test/robot works with it.
ROBOT := $(VENV)-robot
BUILD := .build/$(DISTRO)
UV := uv==0.13.9
REQUIREMENTS := requirements/ros-$(DISTRO).txt requirements/build.txt
# Exact versions of everything; LOCK= takes the newest that requirements/ allows.
LOCK ?= requirements/lock.txt
LOCKED := $(addprefix -c ,$(LOCK))
SOURCES := CMakeLists.txt package.xml msg srv config launch models m2r2_ros scripts
PACKAGE := setup.py pyproject.toml package.xml README.md LICENSE requirements msg srv config launch models m2r2_ros
PACKAGED := $(shell find $(PACKAGE) -type f -not -name '*.pyc')
MESSAGES := CMakeLists.txt package.xml $(wildcard msg/*.msg srv/*.srv scripts/*) $(wildcard tools/messages/*/* tools/messages/*/msg/*)
# Those that need neither data of others nor an hour.
BENCHMARKS := $(addprefix benchmarks/,checks.py decode.py discovery.py export.py fleet.py labelling.py live.py online_step.py pages.py recording.py remote.py simulation.py)
IN_ROS := source $(CURDIR)/tools/environment.bash $(DISTRO) &&

# A ROS installation that happens to be sourced must not leak into the wheels' environment.
unexport AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH PYTHONPATH ROS_DISTRO

.DEFAULT_GOAL := help
#: Interpreters of the environments of `make consumers`: their packages want these.
PYTHON_LEROBOT ?= python3.12
PYTHON_RLDS ?= python3.11

.PHONY: help build consumers lock test fuzz lint format demo bench bench-ablation bench-annotate bench-discovery bench-real bench-unknown clean lost

help:  ## List the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
	@echo
	@echo 'DISTRO=jazzy|kilted chooses the ROS distribution, PYTHON=python3.12 the interpreter of a'
	@echo 'new environment, TESTS="test/core -k name" what `make test` runs.'

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet $(LOCKED) setuptools
	touch $@

$(VENV)/.installed: $(VENV)/.created $(wildcard requirements/*.txt) setup.py tools/relocate_wheels.py
	$(VENV)/bin/python -m pip install --quiet --no-build-isolation $(LOCKED) \
	    $(addprefix -r ,$(REQUIREMENTS)) -e '.[bench,dev,discover,elan,fleet,kinematics,lerobot,lite,pretrain,reassemble,rerun,review,rlds,s3,sim,train]'
	$(VENV)/bin/python tools/relocate_wheels.py
	echo $(or $(LOCK),newest) > $@

$(ROBOT)/.created: $(VENV)/.created requirements/runtime.txt requirements/lock.txt
	$(VENV)/bin/python -m venv --clear $(ROBOT)
	$(ROBOT)/bin/python -m pip install --quiet $(LOCKED) setuptools
	touch $@

# Modules that the checkout has lost must go too: so from a copy, and again where one of the stamp's
# list is missing.
$(ROBOT)/.installed: $(ROBOT)/.created $(PACKAGED) $(if $(filter-out $(PACKAGED),$(shell cat $(ROBOT)/.installed 2>&-)),lost)
	rm -rf $(ROBOT)/source
	mkdir $(ROBOT)/source
	cp -r $(PACKAGE) $(ROBOT)/source
	$(ROBOT)/bin/python -m pip install --quiet --no-build-isolation $(LOCKED) $(ROBOT)/source/
	rm -r $(ROBOT)/source
	@printf '%s\n' $(PACKAGED) > $@

# CMake does not want the environment, whose include folders the messages export, inside the source
# folder; so the workspace gets a source folder of links.
$(BUILD)/.messages: $(VENV)/.installed $(MESSAGES)
	mkdir -p $(BUILD)/src/m2r2_ros
	ln -sfn $(addprefix $(CURDIR)/,$(wildcard $(SOURCES))) $(BUILD)/src/m2r2_ros
	ln -sfn $(addprefix $(CURDIR)/,$(wildcard tools/messages/*)) $(BUILD)/src
	cd $(BUILD) && $(IN_ROS) colcon build --symlink-install --cmake-args -G Ninja
	touch $@

build: $(BUILD)/.messages  ## Make the environment and generate the messages.

lock:  ## Write requirements/lock.txt again, with the newest versions that requirements/ allows.
	$(PYTHON) -m venv .build/lock
	.build/lock/bin/python -m pip install --quiet $(UV)
	PATH=$(CURDIR)/.build/lock/bin:$$PATH python tools/lock.py

test: build $(ROBOT)/.installed  ## Run the tests; TESTS="test/core -k name" runs some of them.
ifdef TESTS
	$(IN_ROS) python -m pytest $(TESTS)
else
	$(IN_ROS) python -m pytest -n auto --dist worksteal --durations 15 -m 'not ros'
	$(IN_ROS) python -m pytest test/nodes test/robot -n 2 --durations 15 -m ros  # these keep time with the wall clock
endif

fuzz: build  ## Attack every reader and writer for long; SEED=n repeats a run, FACTOR=n its length.
	@echo 'SEED=$(SEED) FACTOR=$(FACTOR)'
	$(IN_ROS) M2R2_FUZZ=$(FACTOR) python -m pytest test/hostile -n auto --hypothesis-seed=$(SEED)

# They cannot live beside what the project runs on; test/consumers reads exports with them.
consumers:  ## Make environments of the libraries that read exports, several GB.
	$(PYTHON_LEROBOT) -m venv .venv-consumers-lerobot
	.venv-consumers-lerobot/bin/python -m pip install --quiet -r tools/consumers/lerobot.txt
	$(PYTHON_RLDS) -m venv .venv-consumers-rlds
	.venv-consumers-rlds/bin/python -m pip install --quiet -r tools/consumers/rlds.txt
	$(PYTHON) -m venv .venv-consumers-label-studio
	.venv-consumers-label-studio/bin/python -m pip install --quiet -r tools/consumers/label_studio.txt

lint: build  ## Check style, formatting and types.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: build  ## Sort imports and format the code.
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

demo: build  ## Simulate, label and score an episode; leaves out/demo.
	$(IN_ROS) m2r2 demo --out out/demo

bench: build  ## Measure speed and accuracy on generated data.
	$(IN_ROS) for script in $(BENCHMARKS); do python $$script || exit 1; done

bench-ablation: build  ## Measure what each modality is good for; takes an hour or two.
	$(IN_ROS) python benchmarks/ablation.py

bench-annotate: build  ## Measure what labels cost with a model that suggests them; takes half an hour.
	$(IN_ROS) python benchmarks/annotate.py

bench-unknown: build  ## Measure whether what was never trained is unknown; takes an hour.
	$(IN_ROS) python benchmarks/unknown_cell.py

bench-discovery: build  ## Score methods that need no labels; DATA=folder with real trials; takes half an hour.
	$(IN_ROS) python benchmarks/methods.py $(DATA)

bench-real: build  ## Measure on real recordings; DATA=folder; takes hours.
	$(IN_ROS) python benchmarks/real.py $(DATA)
	$(IN_ROS) python benchmarks/unknown.py $(DATA)

clean:  ## Remove everything that the other targets made.
	rm -rf .venv .venv-* .build out build dist *.egg-info .hypothesis .*_cache
	find m2r2_ros test tools benchmarks -name __pycache__ -prune -exec rm -rf {} +
