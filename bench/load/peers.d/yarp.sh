# Plain YARP, the same version and host as the gateway, and no stops: the floor.
DLL=$HERE/../../artifacts/bin/PlainYarp/release/PlainYarp.dll
need() { dotnet build "$HERE/yarp" -c Release --nologo -v quiet && [ -f "$DLL" ]; }
start() { exec dotnet "$DLL" "$PORT" "$UPSTREAM"; }
