Describe 'Start-SHBackupMetricServer' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'says what it would serve with -WhatIf, and does not' {
        Start-SHBackupMetricServer -Port 9464 -WhatIf | Should -BeNullOrEmpty
    }

    It 'names a port that is taken' {
        $listener = [System.Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
        $listener.Start()
        try {
            { Start-SHBackupMetricServer -Port $listener.LocalEndpoint.Port -ErrorAction Stop } | Should -Throw -ErrorId 'MetricServerFailed,*'
        }
        finally { $listener.Stop() }
    }
}
