Describe 'Send-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $full = New-SHBackup ./app.db
    }
    AfterEach { Exit-Workspace }

    It 'sends a backup, which knows its copy then' {
        $sent = $full | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer
        $sent.CloudProvider | Should -Be 'Directory'
        $sent.Copies | Should -HaveCount 1
        (Get-SHBackup).CloudUrl | Should -Be $sent.CloudUrl
        (Get-SHBackup -Remote -Provider Directory -Container ./offsite).Id | Should -Be $full.Id
    }

    It 'makes no container unasked' {
        { $full | Send-SHBackup -Provider Directory -Container ./offsite -ErrorAction Stop } | Should -Throw -ErrorId 'CloudContainerNotFound,*'
    }

    It 'sends nothing with -WhatIf' {
        $full | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer -WhatIf | Should -BeNullOrEmpty
        './offsite' | Should -Not -Exist
    }
}
