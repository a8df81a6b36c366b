# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Usage: source tools/environment.bash [jazzy|kilted]
#
# Enters what `make build` made, as `source install/setup.bash` does on a machine with ROS. The
# variables must be there before Python starts, LD_LIBRARY_PATH above all.

_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
_distro=${1:-jazzy}
VIRTUAL_ENV=$_root/.venv
[ "$_distro" = jazzy ] || VIRTUAL_ENV=$_root/.venv-$_distro
export VIRTUAL_ENV
export PATH=$VIRTUAL_ENV/bin:$PATH
export ROS_DISTRO=$_distro ROS_VERSION=2 ROS_PYTHON_VERSION=3
export AMENT_PREFIX_PATH=$VIRTUAL_ENV CMAKE_PREFIX_PATH=$VIRTUAL_ENV
export LD_LIBRARY_PATH=$VIRTUAL_ENV/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
unset COLCON_PREFIX_PATH PYTHONPATH
# Nothing that runs from a checkout should meet the robots of the network.
export ROS_AUTOMATIC_DISCOVERY_RANGE=${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}
if [ -f "$_root/.build/$_distro/install/local_setup.bash" ]; then
    source "$_root/.build/$_distro/install/local_setup.bash"
fi
# The checkout before the built copy of it, so that edits count at once.
export PYTHONPATH=$_root${PYTHONPATH:+:$PYTHONPATH}
unset _root _distro
