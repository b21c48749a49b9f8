# What is installed where, and how it becomes three Debian packages: jobs-bridge,
# jobs-bridge-mosquitto with the broker's plugin, and jobs-bridge-tools with the emulator and the load
# generator. deploy/package drives it.
include(GNUInstallDirs)
set(packaged ${CMAKE_BINARY_DIR}/packaged)

# The packaged configuration keeps a journal and what devices were told, where the service may write.
file(READ ${PROJECT_SOURCE_DIR}/deploy/jobs-bridge.toml configuration)
string(REGEX REPLACE "(\n\\[journal\\]\n[^\n]*\npath = )\"\"\n"
  "\\1\"/var/lib/jobs-bridge/journal.db\"\n" with_journal "${configuration}")
if(with_journal STREQUAL configuration)
  message(FATAL_ERROR "deploy/jobs-bridge.toml does not have an empty path first in [journal]")
endif()
string(REGEX REPLACE "(\n\\[notify\\]\n.*\npath = )\"\"\n"
  "\\1\"/var/lib/jobs-bridge/notify.db\"\n" with_both "${with_journal}")
if(with_both STREQUAL with_journal)
  message(FATAL_ERROR "deploy/jobs-bridge.toml does not have an empty path in [notify]")
endif()
file(WRITE ${packaged}/jobs-bridge.toml "${with_both}")

# Manuals and changelogs, compressed as Debian has them.
set(compressed "")
function(jobs_bridge_compress input output)
  add_custom_command(OUTPUT ${output}
    COMMAND gzip -9nc ${input} > ${output}
    DEPENDS ${input}
    VERBATIM)
  set(compressed ${compressed} ${output} PARENT_SCOPE)
endfunction()
file(MAKE_DIRECTORY ${packaged})
add_custom_command(OUTPUT ${packaged}/jobs-bridge.toml.5
  COMMAND ${CMAKE_COMMAND} -DINPUT=${PROJECT_SOURCE_DIR}/deploy/jobs-bridge.toml
          -DOUTPUT=${packaged}/jobs-bridge.toml.5 -P ${PROJECT_SOURCE_DIR}/deploy/man/reference.cmake
  DEPENDS ${PROJECT_SOURCE_DIR}/deploy/jobs-bridge.toml
          ${PROJECT_SOURCE_DIR}/deploy/man/reference.cmake
  VERBATIM)
jobs_bridge_compress(${PROJECT_SOURCE_DIR}/deploy/man/jobs-bridge.1 ${packaged}/jobs-bridge.1.gz)
jobs_bridge_compress(${PROJECT_SOURCE_DIR}/deploy/man/jobs-endpoint.1 ${packaged}/jobs-endpoint.1.gz)
jobs_bridge_compress(${PROJECT_SOURCE_DIR}/deploy/man/jobs-load.1 ${packaged}/jobs-load.1.gz)
jobs_bridge_compress(${packaged}/jobs-bridge.toml.5 ${packaged}/jobs-bridge.toml.5.gz)
# Debian's form of a changelog; what has changed is in the project's own.
string(TIMESTAMP built "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${packaged}/changelog "jobs-bridge (${PROJECT_VERSION}) unstable; urgency=medium

  * See CHANGELOG.md.

 -- the jobs-bridge developers <jobs-bridge@packages.invalid>  ${built}
")
jobs_bridge_compress(${packaged}/changelog ${packaged}/changelog.gz)
add_custom_target(packaged_files ALL DEPENDS ${compressed})

install(TARGETS jobs-bridge RUNTIME COMPONENT bridge)
install(FILES ${packaged}/jobs-bridge.toml DESTINATION /etc/jobs-bridge COMPONENT bridge)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/systemd/jobs-bridge.service
  DESTINATION /lib/systemd/system COMPONENT bridge)
install(FILES ${packaged}/jobs-bridge.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT bridge)
install(FILES ${packaged}/jobs-bridge.toml.5.gz
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 COMPONENT bridge)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/completion/jobs-bridge
  DESTINATION share/bash-completion/completions COMPONENT bridge)
install(FILES ${packaged}/changelog.gz ${PROJECT_SOURCE_DIR}/deploy/debian/copyright
  DESTINATION share/doc/jobs-bridge COMPONENT bridge)
# The documents, and what they link to, in the folders of the checkout: so every link leads somewhere.
# Once more as a component of its own, which no package has: by it a test tries the links.
set(documents README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md LICENSE SECURITY.md
  adapters/store/journal.md adapters/store/watched_things.md
  deploy/CREDENTIALS.md deploy/DEPENDENCIES.md deploy/DEVICE_GUIDE.md deploy/HOSTILE_PEERS.md
  deploy/LOG_EVENTS.md deploy/OPERATOR_GUIDE.md deploy/RUNBOOK.md deploy/SITE_PLAN.md deploy/THREATS.md
  deploy/dashboard.png deploy/jobs-bridge.toml deploy/soak.svg
  tests/README.md tests/bench/README.md tests/bench/peers/README.md tests/endpoint/CONTRACT.md
  tests/interop/brokers/aedes.mjs tests/soak/README.md)
foreach(component bridge documents)
  if(component STREQUAL documents)
    set(not_by_default EXCLUDE_FROM_ALL)
  else()
    set(not_by_default "")
  endif()
  foreach(document ${documents})
    cmake_path(GET document PARENT_PATH folder)
    install(FILES ${PROJECT_SOURCE_DIR}/${document}
      DESTINATION share/doc/jobs-bridge/${folder} COMPONENT ${component} ${not_by_default})
  endforeach()
  foreach(folder brokers container kubernetes monitoring mosquitto)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/deploy/${folder}
      DESTINATION share/doc/jobs-bridge/deploy COMPONENT ${component} ${not_by_default}
      PATTERN make-certificates PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
        GROUP_EXECUTE WORLD_READ WORLD_EXECUTE
      PATTERN add-client PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
        WORLD_READ WORLD_EXECUTE)
  endforeach()
endforeach()
if(JOBS_BRIDGE_EMULATOR)
  install(TARGETS jobs-endpoint RUNTIME COMPONENT tools)
  install(FILES ${packaged}/jobs-endpoint.1.gz
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
  install(FILES ${packaged}/changelog.gz ${PROJECT_SOURCE_DIR}/deploy/debian/copyright
    DESTINATION share/doc/jobs-bridge-tools COMPONENT tools)
endif()

if(JOBS_BRIDGE_LOAD)
  install(TARGETS jobs-load RUNTIME COMPONENT tools)
  install(FILES ${packaged}/jobs-load.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
endif()

if(TARGET jobs-bridge-mosquitto)
  # A path that is the same on every architecture, since a broker's configuration names it.
  install(TARGETS jobs-bridge-mosquitto LIBRARY DESTINATION lib/jobs-bridge COMPONENT plugin)
  install(FILES ${packaged}/changelog.gz ${PROJECT_SOURCE_DIR}/deploy/debian/copyright
    DESTINATION share/doc/jobs-bridge-mosquitto COMPONENT plugin)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL bridge)
if(JOBS_BRIDGE_EMULATOR OR JOBS_BRIDGE_LOAD)
  list(APPEND CPACK_COMPONENTS_ALL tools)
endif()
if(TARGET jobs-bridge-mosquitto)
  list(APPEND CPACK_COMPONENTS_ALL plugin)
endif()
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_CONTACT "the jobs-bridge developers <jobs-bridge@packages.invalid>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
if(CMAKE_CROSSCOMPILING AND CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
endif()
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_BRIDGE_PACKAGE_NAME jobs-bridge)
set(CPACK_DEBIAN_BRIDGE_PACKAGE_DEPENDS "passwd, ca-certificates, init-system-helpers (>= 1.52)")
set(CPACK_DEBIAN_BRIDGE_PACKAGE_RECOMMENDS "mosquitto, jobs-bridge-mosquitto")
set(CPACK_DEBIAN_BRIDGE_PACKAGE_SUGGESTS jobs-bridge-tools)
set(CPACK_DEBIAN_BRIDGE_DESCRIPTION "AWS IoT Jobs for devices that cannot reach AWS themselves
Devices speak MQTT to a broker on the edge gateway, on the topics that AWS
IoT reserves for Jobs; this daemon makes the HTTPS calls to the Jobs data
plane that they mean and publishes the answers.")
set(CPACK_DEBIAN_BRIDGE_PACKAGE_CONTROL_EXTRA
  "${PROJECT_SOURCE_DIR}/deploy/debian/postinst;${PROJECT_SOURCE_DIR}/deploy/debian/prerm;${PROJECT_SOURCE_DIR}/deploy/debian/postrm;${PROJECT_SOURCE_DIR}/deploy/debian/conffiles")
set(CPACK_DEBIAN_BRIDGE_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME jobs-bridge-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_RECOMMENDS "mosquitto-clients")
set(CPACK_DEBIAN_TOOLS_DESCRIPTION "emulator of the AWS IoT Jobs endpoint and load generator
For trying devices and jobs-bridge without an account: jobs-endpoint has the
four operations of the Jobs data plane, the calls that make and cancel jobs,
and can be told to fail in chosen ways; jobs-load asks as thousands of devices do.")
set(CPACK_DEBIAN_PLUGIN_PACKAGE_NAME jobs-bridge-mosquitto)
# The interface that the plugin is built for, which later brokers have in another form.
set(CPACK_DEBIAN_PLUGIN_PACKAGE_DEPENDS
  "mosquitto (>= 2.0.11), mosquitto (<< 2.1~), libmosquitto1 (<< 2.1~)")
set(CPACK_DEBIAN_PLUGIN_DESCRIPTION "replies of jobs-bridge reach the client that asked
A plugin for the MQTT broker mosquitto 2.0: replies to AWS IoT Jobs requests
reach the connection that asked, subscribed or not, and nobody else, as AWS
delivers them. AWS's own C device code relies on it.")
include(CPack)
